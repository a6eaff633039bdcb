//! The errors of fred: what class each belongs to, and whether the command it answers may be sent again.

mod classify;
mod error_class;

pub use error_class::ErrorClass;
