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

use super::replay::Replay;

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
    fn first(&self, command: Command) -> Option<Self::Client>;

    /// Sends one command; `attempt` makes one attempt of it, and `failed` is the error of the one made in place.
    fn send<T, F, Fut>(
        &self,
        command: Command,
        failed: Option<Error>,
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
    pub(super) wait: Wait,
    /// Whether the attempt returns only errors after which it may be repeated.
    pub(super) asked: bool,
}

/// How long the server may take on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The command does not block.
    No,
    /// At most so long.
    For(Duration),
    /// Until there is something.
    Forever,
}

impl Wait {
    /// Reads the timeout of a blocking command in seconds: zero, and what is no time, is for ever.
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

    /// Reads the argument of `BLOCK` in milliseconds: zero is for ever, none does not block.
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

/// Makes the methods of one interface of fred, and its part of the table.
///
/// ```text
/// Input:  "LPUSH" [NotIdempotent] lpush<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
///
/// Output: pub async fn lpush<R, K, V>(&self, key: K, elements: V) -> FredResult<R>
///         where R: FromValue, K: Into<Key> + Send, V: TryInto<MultipleValues> + Send, V::Error: Into<Error> + Send
///         {
///             let key: Key = key.into();
///             let elements: MultipleValues = elements.try_into().map_err(Into::into)?;
///             let command = Command { name: "lpush", replay: NotIdempotent, wait: Wait::No, asked: false };
///             let failed = match self.sender.first(command) {
///                 Some(client) => match client.lpush(key.clone(), elements.clone()).await {
///                     Ok(value) => return value.convert(),
///                     Err(error) => Some(error),
///                 },
///                 None => None,
///             };
///             let attempt = move |client| {
///                 let (key, elements) = (key.clone(), elements.clone());
///                 async move { client.lpush(key, elements).await }
///             };
///             self.sender.send(command, failed, attempt).await?.convert()
///         }
/// ```
///
/// A second bracket tells how long a blocking command waits; `.inner` keeps what an argument that cannot be cloned
/// was made of, and `as same` makes another one of an argument without `Clone`.
/// `by words` sends the words themselves, where fred's method loses the options of the attempt or its `Send`.
///
/// The methods are those of every sender whose client has the interface; `+ NotSentinel` leaves out the sentinels,
/// and `of …` is for one kind of client only.
macro_rules! commands {
    ($interface:ident $(+ $bound:ident)?; $($lines:tt)*) => {
        $crate::fred::commands::commands! {
            @impl [
                impl<Via: $crate::fred::Sender $(+ $crate::fred::$bound)?> $crate::fred::Commands<Via>
                where
                    Via::Client: ::fred::interfaces::$interface,
            ]
            $interface; $($lines)*
        }
    };
    ($interface:ident of $client:ty; $($lines:tt)*) => {
        $crate::fred::commands::commands! {
            @impl [impl $crate::fred::Commands<$crate::fred::Direct<'_, $client>>]
            $interface; $($lines)*
        }
    };
    (@impl [$($header:tt)*] $interface:ident; $(
        $command:literal [$($replay:tt)*] $([$($wait:tt)*])?
        $method:ident <$($generic:ident),*> (
            $($arg:ident: $ty:ty $(as $same:ident)?
                $(=> Into<$into:ty> $(.$into_kept:ident)?)?
                $(=> TryInto<$try_into:ty> $(.$try_kept:ident)?)?
                $(=> Option<$option:ident: Into<$option_into:ty>>)?
                $(=> Vec<$vec:ident: Into<$vec_into:ty>>)?
                $(=> IntoIterator<Item = $item:ty> $(of Into<$item_into:ty>)?)?
            ),*
        ) $(-> $answer:ident)? $(by $words:ident)?;
    )*) => {
        #[allow(clippy::too_many_arguments, reason = "the methods have the arguments of fred's")]
        $($header)*
        {$(
            #[doc = concat!(
                "Sends `", $command, "`, as `", stringify!($method), "` of fred's [`", stringify!($interface),
                "`](::fred::interfaces::", stringify!($interface), ").\n\n# Errors\n\n",
                "Returns the error of the last attempt, or why the arguments or the reply do not convert."
            )]
            pub async fn $method<$($generic),*>(
                &self,
                $($arg: $ty),*
            ) -> ::fred::interfaces::FredResult<$crate::fred::commands::answer!($($answer)?)>
            where
                $($answer: ::fred::types::FromValue,)?
                $($($ty: Into<$into> + Send,)?)*
                $($(
                    $ty: TryInto<$try_into> + Send,
                    <$ty as TryInto<$try_into>>::Error: Into<::fred::error::Error>,
                )?)*
                $($($option: Into<$option_into> + Send,)?)*
                $($($vec: Into<$vec_into> + Send,)?)*
                $($(
                    $ty: IntoIterator<Item = $item> + Send,
                    $($item: Into<$item_into> + Send,)?
                )?)*
            {
                $($(let $arg = <$ty as Into<$into>>::into($arg)$(.$into_kept())?;)?)*
                $($(
                    let $arg = <$ty as TryInto<$try_into>>::try_into($arg).map_err(Into::into)?$(.$try_kept())?;
                )?)*
                $($(let $arg = $arg.map(<$option as Into<$option_into>>::into);)?)*
                $($(
                    let $arg = $arg.into_iter().map(<$vec as Into<$vec_into>>::into).collect::<Vec<_>>();
                )?)*
                $($(
                    let $arg = <$ty as IntoIterator>::into_iter($arg)
                        $(.map(<$item as Into<$item_into>>::into))?
                        .collect::<Vec<_>>();
                )?)*
                let command = $crate::fred::Command {
                    name: stringify!($method),
                    replay: { $($replay)* },
                    wait: $crate::fred::commands::wait!($($($wait)*)?),
                    asked: false,
                };
                let failed = match self.sender.first(command) {
                    Some(client) => {
                        let answer = $crate::fred::commands::call!(
                            client $command $method($($crate::fred::commands::again!($arg $($same)?)),*)
                            $($words)?
                        );
                        match $crate::fred::commands::value!(answer $($answer)?) {
                            Ok(value) => return ::fred::types::Value::convert(value),
                            Err(error) => Some(error),
                        }
                    }
                    None => None,
                };
                self.sender
                    .send::<::fred::types::Value, _, _>(command, failed, move |client| {
                        $(let $arg = $crate::fred::commands::again!($arg $($same)?);)*
                        async move {
                            let answer = $crate::fred::commands::call!(
                                client $command $method($($arg),*) $($words)?
                            );
                            $crate::fred::commands::value!(answer $($answer)?)
                        }
                    })
                    .await?
                    .convert()
            }
        )*}

        pub(in crate::fred) const TABLE: &[$crate::fred::CommandInfo] = &[$(
            $crate::fred::CommandInfo {
                interface: stringify!($interface),
                method: stringify!($method),
                command: $command,
                replay: stringify!($($replay)*),
                signature: stringify!(
                    <$($generic),*>(
                        $($arg: $ty
                            $(=> Into<$into>)?
                            $(=> TryInto<$try_into>)?
                            $(=> Option<$option: Into<$option_into>>)?
                            $(=> Vec<$vec: Into<$vec_into>>)?
                            $(=> IntoIterator<Item = $item> $(of Into<$item_into>)?)?
                        ),*
                    ) $(-> $answer)?
                ),
            },
        )*];
    };
}

/// An argument once more, for another attempt.
macro_rules! again {
    ($argument:ident) => {
        $argument.clone()
    };
    ($argument:ident $same:ident) => {
        $same($argument.as_ref())
    };
}

/// An attempt: fred's method, or a custom command of the same words.
macro_rules! call {
    ($client:ident $command:literal $method:ident($($argument:expr),*)) => {
        $client.$method($($argument),*).await
    };
    ($client:ident $command:literal $method:ident($($argument:expr),*) words) => {{
        let (command, words) = $crate::fred::commands::words::split($command);
        $(let words = $crate::fred::commands::words::Words::after($argument, words);)*
        ::fred::interfaces::ClientLike::custom(&$client, command, words).await
    }};
}

/// What a method answers.
macro_rules! answer {
    () => {
        ()
    };
    ($answer:ident) => {
        $answer
    };
}

/// How long a command may block.
macro_rules! wait {
    () => { $crate::fred::Wait::No };
    ($($wait:tt)+) => { $($wait)+ };
}

/// The answer of fred as a value, which is converted when all attempts are over.
macro_rules! value {
    ($result:ident) => {
        $result.map(|()| ::fred::types::Value::Null)
    };
    ($result:ident $answer:ident) => {
        $result
    };
}

use {again, answer, call, commands, value, wait};
