//! What a user of the published crates sees: messages, lints, dependencies.
#![allow(missing_docs)]

mod api;
mod book;
mod dependencies;
pub mod lints;
mod messages;
