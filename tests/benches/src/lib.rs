//! Measures the toolkit against hand-written loops and other retry crates.
//!
//! A [`Form`](form::Form) is one way to write a retried call; the same forms are counted under callgrind, timed, and
//! watched by a counting allocator.

pub mod builds;
pub mod callgrind;
#[cfg(feature = "client")]
pub mod client;
pub mod counting;
pub mod form;
pub mod hand;
pub mod machine;
pub mod measured;
pub mod operation;
pub mod ours;
#[cfg(feature = "peers")]
pub mod peers;
#[cfg(feature = "client")]
#[path = "../../support/redis_server.rs"]
pub mod redis_server;
pub mod report;
#[cfg(feature = "client")]
#[path = "../../support/resp.rs"]
mod resp;
pub mod run;
pub mod sizes;
pub mod summary;
