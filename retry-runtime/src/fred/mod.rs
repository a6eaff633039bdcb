//! Redis and Valkey: a fred client on which every command is retried under one policy.
//!
//! ```no_run
//! # #[cfg(feature = "i-keys")]
//! # async fn example() -> fred::interfaces::FredResult<()> {
//! use retry_runtime::{RetryPolicy, fred::RetryClient};
//!
//! let client = RetryClient::connect_url("redis://127.0.0.1:6379", RetryPolicy::exponential().retries(5)).await?;
//! let visits: i64 = client.incr("visits").await?; // never counted twice
//! # Ok(())
//! # }
//! ```
//!
//! - [`RetryClient::connect`](Commands::connect) makes a client, [`WithRetry::with_retry`] wraps one that you have.
//! - [`Commands`] has the methods: fred's commands by fred's names, pipelines, transactions, scripts, and the variants
//!   of a client.
//! - [`Replay`] says what a repeat of a command does, [`COMMANDS`] lists all commands.
//! - [`ErrorClass`] names the errors of a policy, [`Disposition`](crate::failure::classify::Disposition) says whether a command may have
//!   been executed.
//!
//! **[The page on Redis](crate::guide::redis)** tells the rest: defaults, what decides a retry, blocking commands,
//! subscribers, clusters, and what happens when a connection is lost or silent.

mod attempts;
mod budgets;
mod classify;
mod client;
mod commands;
mod connection;
mod doubt;
mod error_class;
mod hooks;
mod judge;
mod link;
mod nothing;
mod optimistic;
mod pipeline;
mod pulse;
mod replay;
mod script;
mod statistics;
mod target;
#[cfg(feature = "i-tracking")]
mod tracking;
mod transaction;
mod watch;

pub use client::{DEFAULT_ATTEMPT_TIMEOUT, Direct, RetryClient, WithRetry};
#[cfg(feature = "i-pubsub")]
pub use commands::Listening;
pub use commands::{
    BlockingTime, COMMANDS, Command, CommandInfo, Commands, NotSentinel, Reply, Sender,
};
pub use error_class::ErrorClass;
pub use hooks::ClientHook;
pub use nothing::found_nothing;
pub use pipeline::{Queue, RetryPipeline};
pub use pulse::Flight;
pub use replay::{Consent, Replay};
pub use script::Script;
pub use statistics::Statistics;
pub use target::Target;
pub use transaction::{Multi, RetryTransaction};

// fred's feature `glommio` makes its futures local to a thread, and `retry-runtime` needs fred on tokio: turn the feature
// off. The features of all crates in a build count; `cargo tree -e features -i fred` tells which one enables it.
// A crate does not see the features of another, but fred has this type only without that one, and the missing import is
// the first of the many errors of such a build, and the only one that names the cause.
#[allow(unused_imports, reason = "it is there or not")]
use ::fred::clients::ExclusivePool as FredOnTokioWithoutGlommio;
