//! The [publish/subscribe](https://redis.io/commands#pubsub) commands.

use std::time::Duration;

use ::fred::{
    bytes_utils::Str,
    clients::{Client, Pipeline},
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult, PubsubInterface},
    types::{MultipleStrings, Value},
};
use tokio::time::timeout;

use crate::fred::{
    Command, CommandInfo, Commands,
    Replay::{Idempotent, NotIdempotent, Read},
    Sender, Target,
    client::Once,
    commands::{by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { PubsubInterface;
    "PUBLISH" [NotIdempotent] publish<R, S, V>(channel: S => Into<Str>, message: V => TryInto<Value>) -> R;
    "SPUBLISH" [NotIdempotent] spublish<R, S, V>(channel: S => Into<Str>, message: V => TryInto<Value>) -> R;
    "PUBSUB CHANNELS" [Read] pubsub_channels<R, S>(pattern: S => Into<Str>) -> R;
    "PUBSUB NUMPAT" [Read] pubsub_numpat<R>() -> R;
    "PUBSUB NUMSUB" [Read] pubsub_numsub<R, S>(channels: S => Into<MultipleStrings>) -> R;
    "PUBSUB SHARDCHANNELS" [Read] pubsub_shardchannels<R, S>(pattern: S => Into<Str>) -> R;
    "PUBSUB SHARDNUMSUB" [Read] pubsub_shardnumsub<R, S>(channels: S => Into<MultipleStrings>) -> R;
}

/// The client of an attempt, and the one below that remembers what it is subscribed to.
///
/// fred's `SubscriberClient` does, in methods of its own; under options it has the methods of every client, which do
/// not.
pub trait Listening: Send + Sync {
    /// The client that remembers.
    type Listener: PubsubInterface;

    /// Returns that client, if there is one, and how long an attempt may take.
    fn listener(&self) -> Option<(&Self::Listener, Duration)>;
}

impl<C: Target + PubsubInterface> Listening for Once<C> {
    type Listener = C;

    fn listener(&self) -> Option<(&C, Duration)> {
        let limit = self.options().timeout.filter(|limit| !limit.is_zero());
        C::LISTENS.then(|| (&**self, limit.unwrap_or(Duration::MAX)))
    }
}

/// What is queued is sent as any command.
impl<C: ClientLike> Listening for Pipeline<C> {
    type Listener = Client;

    fn listener(&self) -> Option<(&Client, Duration)> {
        None
    }
}

/// Makes the methods that subscribe, and their part of the table.
macro_rules! subscriptions {
    ($($command:literal $method:ident($names:ident);)*) => {
        pub(in crate::fred) const BY_HAND: &[CommandInfo] =
            &[$(by_hand("PubsubInterface", stringify!($method), $command, "Idempotent"),)*];

        /// Subscriptions, which a `SubscriberClient` remembers as with fred.
        ///
        /// To one of those fred passes no options, so its time is cut from outside: what is late may take effect later.
        impl<Via: Sender> Commands<Via>
        where
            Via::Client: PubsubInterface + Listening,
        {$(
            #[doc = concat!(
                "Sends `", $command, "`, as fred's [`", stringify!($method), "`](PubsubInterface::",
                stringify!($method), ").\n\n# Errors\n\nReturns the error of the last attempt."
            )]
            pub async fn $method<S>(&self, $names: S) -> FredResult<()>
            where
                S: Into<MultipleStrings> + Send,
            {
                let $names = $names.into();
                let command = Command::new(stringify!($method), Idempotent);
                self.sender
                    .send(command, None, move |client| {
                        let $names = $names.clone();
                        async move {
                            let done = match client.listener() {
                                Some((listener, limit)) => {
                                    timeout(limit, listener.$method($names)).await.unwrap_or_else(|_| {
                                        Err(Error::new(ErrorKind::Timeout, "Request timed out."))
                                    })
                                }
                                None => client.$method($names).await,
                            };
                            done.map(|()| Value::Null)
                        }
                    })
                    .await
                    .map(drop)
            }
        )*}
    };
}

subscriptions! {
    "SUBSCRIBE" subscribe(channels);
    "UNSUBSCRIBE" unsubscribe(channels);
    "PSUBSCRIBE" psubscribe(patterns);
    "PUNSUBSCRIBE" punsubscribe(patterns);
    "SSUBSCRIBE" ssubscribe(channels);
    "SUNSUBSCRIBE" sunsubscribe(channels);
}
