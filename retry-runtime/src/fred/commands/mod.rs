//! The commands of fred: one table, from which the methods and their replay classes are made.

#[cfg(feature = "i-acl")]
mod acl;
#[cfg(feature = "i-server")]
mod admin;
#[cfg(feature = "i-cluster")]
mod cluster;
#[cfg(feature = "i-config")]
mod config;
#[cfg(feature = "i-client")]
mod connection;
mod custom;
mod expand;
#[cfg(feature = "i-scripts")]
mod functions;
#[cfg(feature = "i-geo")]
mod geo;
#[cfg(feature = "i-hashes")]
mod hashes;
#[cfg(feature = "i-hyperloglog")]
mod hyperloglog;
#[cfg(feature = "i-redis-json")]
mod json;
#[cfg(feature = "i-keys")]
mod keys;
#[cfg(feature = "i-lists")]
mod lists;
#[cfg(feature = "i-memory")]
mod memory;
#[cfg(feature = "i-pubsub")]
mod pubsub;
#[cfg(feature = "i-scripts")]
mod scripts;
#[cfg(feature = "i-redisearch")]
mod search;
#[cfg(feature = "sentinel-client")]
mod sentinel;
mod server;
#[cfg(feature = "i-sets")]
mod sets;
mod slot;
#[cfg(feature = "i-slowlog")]
mod slowlog;
#[cfg(feature = "i-sorted-sets")]
mod sorted_sets;
#[cfg(feature = "i-streams")]
mod stream_values;
#[cfg(feature = "i-streams")]
mod streams;
#[cfg(feature = "i-time-series")]
mod time_series;
#[cfg(feature = "i-tracking")]
mod tracking;
#[cfg(any(feature = "i-redisearch", feature = "sentinel-client"))]
mod words;

use std::{future::Future, time::Duration};

use ::fred::{
    error::Error,
    interfaces::{ClientLike, FredResult, Resp3Frame},
    types::Value,
};

use self::expand::{again, answer, call, commands, value, wait};
use super::{pulse::Flight, replay::Replay};

/// The commands of fred by fred's own names, sent by `S`.
///
/// A method has the generics, arguments and result of fred's; it exists under the same cargo feature, and if the
/// client below has the interface.
#[derive(Debug, Clone)]
pub struct Commands<S> {
    sender: S,
}

impl<S> Commands<S> {
    pub(super) fn new(sender: S) -> Self {
        Self { sender }
    }

    pub(super) fn sender(&self) -> &S {
        &self.sender
    }
}

/// Sends commands; what [`Commands`] is generic over.
pub trait Sender: Send + Sync {
    /// The client that an attempt is made on.
    type Client: ClientLike + 'static;

    /// Returns the client of a first attempt that nothing precedes, to be made in place: fred's futures are large, and
    /// one that is handed over is copied.
    fn first(&self, command: Command) -> Option<(Self::Client, Flight<'_>)>;

    /// Returns the slot that a command belongs to, if it matters.
    fn slot(&self, key: impl FnOnce() -> Option<u16>) -> Option<u16> {
        drop(key);
        None
    }

    /// Counts a command that succeeded at the attempt made in place.
    fn succeeded(&self, command: Command, flight: Flight<'_>, slot: impl FnOnce() -> Option<u16>) {
        let _ = (command, flight, slot);
    }

    /// Sends one command; `attempt` makes one attempt of it, and `failed` is the error of the one made in place.
    fn send<T, F, Fut>(
        &self,
        command: Command,
        failed: Option<(Error, Flight<'_>)>,
        attempt: F,
    ) -> impl Future<Output = FredResult<T>> + Send
    where
        T: Reply,
        F: Fn(Self::Client) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<T>> + Send + 'static;
}

/// What fred makes of a reply.
pub trait Reply: Send + Sync + 'static {
    /// The answer of a command that is only queued.
    fn queued() -> Self;
}

impl Reply for Value {
    fn queued() -> Self {
        Self::Queued
    }
}

impl Reply for Resp3Frame {
    fn queued() -> Self {
        Self::SimpleString { data: "QUEUED".into(), attributes: None }
    }
}

/// What reaches servers that hold data, and not sentinels, which have other commands of the same names.
///
/// A client or a sender of one.
pub trait NotSentinel {}

/// What a sender has to know about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    pub(super) name: &'static str,
    pub(super) replay: Replay,
    pub(super) wait: BlockingTime,
    /// The hash slot of the first key, on a cluster.
    pub(super) slot: Option<u16>,
    pub(super) errors: Errors,
}

impl Command {
    /// Describes a command that does not block, and whose errors are the server's.
    pub(super) const fn new(name: &'static str, replay: Replay) -> Self {
        Self { name, replay, wait: BlockingTime::No, slot: None, errors: Errors::Servers }
    }

    /// Describes a command that runs what a user wrote.
    pub(super) const fn of_user(name: &'static str, replay: Replay) -> Self {
        Self { errors: Errors::Own, ..Self::new(name, replay) }
    }
}

/// What makes the errors that a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Errors {
    /// The server: a refusal says that nothing was executed.
    Servers,
    /// Perhaps a script, a function or a module, after it wrote, and in the words of the server.
    Own,
}

/// How long the server may take on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockingTime {
    /// The command does not block.
    No,
    /// At most so long.
    For(Duration),
    /// Until there is something.
    Forever,
}

impl BlockingTime {
    /// Reads the timeout of a blocking command in seconds: zero, or what is no time, is without limit.
    #[cfg(any(feature = "i-lists", feature = "i-sorted-sets"))]
    fn seconds(timeout: f64) -> Self {
        match Duration::try_from_secs_f64(timeout) {
            Ok(Duration::ZERO) | Err(_) => Self::Forever,
            Ok(wait) => Self::For(wait),
        }
    }

    /// Adds the waits of commands that run one after the other.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Forever, _) | (_, Self::Forever) => Self::Forever,
            (Self::No, wait) | (wait, Self::No) => wait,
            (Self::For(one), Self::For(other)) => Self::For(one.saturating_add(other)),
        }
    }

    /// Reads the argument of `BLOCK` in milliseconds: zero is without limit, none does not block.
    #[cfg(any(feature = "i-server", feature = "i-streams"))]
    fn block(milliseconds: Option<u64>) -> Self {
        match milliseconds {
            None => Self::No,
            Some(0) => Self::Forever,
            Some(milliseconds) => Self::For(Duration::from_millis(milliseconds)),
        }
    }
}

/// A line of the table of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandInfo {
    /// The interface trait of fred.
    pub interface: &'static str,
    /// The method of fred.
    pub method: &'static str,
    /// The command of the server, such as `XGROUP CREATE`.
    pub command: &'static str,
    /// The [`Replay`] class, or the function that finds it from the options.
    pub replay: &'static str,
    /// The arguments and the result of the method.
    pub signature: &'static str,
}

/// The table of commands, by interface.
pub const COMMANDS: &[&[CommandInfo]] = &[
    custom::TABLE,
    server::TABLE,
    #[cfg(feature = "i-acl")]
    acl::TABLE,
    #[cfg(feature = "i-server")]
    admin::TABLE,
    #[cfg(feature = "i-server")]
    admin::BY_HAND,
    #[cfg(feature = "i-cluster")]
    cluster::TABLE,
    #[cfg(feature = "i-config")]
    config::TABLE,
    #[cfg(feature = "i-client")]
    connection::TABLE,
    #[cfg(feature = "i-client")]
    connection::BY_HAND,
    #[cfg(feature = "i-tracking")]
    connection::tracking::TABLE,
    #[cfg(feature = "i-tracking")]
    tracking::TABLE,
    #[cfg(feature = "i-scripts")]
    functions::TABLE,
    #[cfg(feature = "i-scripts")]
    functions::BY_HAND,
    #[cfg(feature = "i-geo")]
    geo::TABLE,
    #[cfg(feature = "i-hashes")]
    hashes::TABLE,
    #[cfg(feature = "i-hexpire")]
    hashes::expire::TABLE,
    #[cfg(feature = "i-hyperloglog")]
    hyperloglog::TABLE,
    #[cfg(feature = "i-redis-json")]
    json::TABLE,
    #[cfg(feature = "i-redis-json")]
    json::BY_HAND,
    #[cfg(feature = "i-keys")]
    keys::TABLE,
    #[cfg(feature = "i-lists")]
    lists::TABLE,
    #[cfg(feature = "i-memory")]
    memory::TABLE,
    #[cfg(feature = "i-pubsub")]
    pubsub::TABLE,
    #[cfg(feature = "i-pubsub")]
    pubsub::BY_HAND,
    #[cfg(feature = "i-scripts")]
    scripts::TABLE,
    #[cfg(feature = "i-redisearch")]
    search::TABLE,
    #[cfg(feature = "sentinel-client")]
    sentinel::TABLE,
    #[cfg(feature = "i-sets")]
    sets::TABLE,
    #[cfg(feature = "i-slowlog")]
    slowlog::TABLE,
    #[cfg(feature = "i-sorted-sets")]
    sorted_sets::TABLE,
    #[cfg(feature = "i-streams")]
    streams::TABLE,
    #[cfg(feature = "i-streams")]
    stream_values::TABLE,
    #[cfg(feature = "i-time-series")]
    time_series::TABLE,
    #[cfg(feature = "i-time-series")]
    time_series::BY_HAND,
];

/// A line for a method that one rule cannot make: another result than fred's `FromValue`, arguments within arguments,
/// or options that fred's method loses.
const fn by_hand(
    interface: &'static str,
    method: &'static str,
    command: &'static str,
    replay: &'static str,
) -> CommandInfo {
    CommandInfo { interface, method, command, replay, signature: "by hand" }
}

/// Copies what fred gave no `Clone`.
#[cfg(feature = "i-sorted-sets")]
fn same_aggregate(
    options: Option<&::fred::types::sorted_sets::AggregateOptions>,
) -> Option<::fred::types::sorted_sets::AggregateOptions> {
    use ::fred::types::sorted_sets::AggregateOptions::{Max, Min, Sum};
    options.map(|options| match options {
        Sum => Sum,
        Min => Min,
        Max => Max,
    })
}

/// The class of a command that stores what it computes: a destination that is also a source is computed upon again.
#[cfg(any(feature = "i-geo", feature = "i-sets", feature = "i-sorted-sets"))]
fn store_class(
    destination: &::fred::types::Key,
    sources: impl IntoIterator<Item = ::fred::types::Key>,
) -> Replay {
    if sources.into_iter().any(|source| source == *destination) {
        Replay::NotIdempotent
    } else {
        Replay::Idempotent
    }
}

pub(super) use custom::once;
#[cfg(feature = "i-pubsub")]
pub use pubsub::Listening;
