//! The other retry crates, each called as its documentation shows.
//!
//! A policy is made inside the measured call only where the interface of the crate forces it: backon, backon-macros,
//! tokio-retry, tokio-retry2, backoff and mulligan.

mod attributes;
mod failing;
mod first;
mod tower_policy;

pub use failing::failing;
pub use first::first;
