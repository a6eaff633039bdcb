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

// fred's feature `glommio` makes its futures local to a thread, and `retry-runtime` needs fred on tokio: turn the feature
// off. The features of all crates in a build count; `cargo tree -e features -i fred` tells which one enables it.
// A crate does not see the features of another, but fred has this type only without that one, and the missing import is
// the first of the many errors of such a build, and the only one that names the cause.
#[allow(unused_imports, reason = "it is there or not")]
use ::fred::clients::ExclusivePool as FredOnTokioWithoutGlommio;
