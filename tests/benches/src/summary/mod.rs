//! What the README shows of the results that are kept.

pub mod chart;
pub mod table;
