#![doc = include_str!("../../docs/fred.md")]

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
pub use commands::{COMMANDS, Command, CommandInfo, Commands, NotSentinel, Reply, Sender, Wait};
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
