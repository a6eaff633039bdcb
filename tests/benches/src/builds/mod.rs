//! What compiling costs: crates made for the purpose, in directories of their own that are removed afterwards.

pub mod functions;
pub mod project;
