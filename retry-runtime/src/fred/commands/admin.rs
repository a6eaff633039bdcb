//! The commands of the [server](https://redis.io/commands#server).

use ::fred::{
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult, ServerInterface},
    types::Value,
};

use crate::fred::{
    Command, CommandInfo, Commands, NotSentinel,
    Replay::{NotIdempotent, Read},
    Sender,
    commands::{BlockingTime, by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { ServerInterface + NotSentinel;
    "BGREWRITEAOF" [NotIdempotent] bgrewriteaof<R>() -> R;
    "BGSAVE" [NotIdempotent] bgsave<R>() -> R;
    "DBSIZE" [Read] dbsize<R>() -> R;
    "FAILOVER" [NotIdempotent] failover<>(to: Option<(String, u16)>, force: bool, abort: bool, timeout: Option<u32>);
    "LASTSAVE" [Read] lastsave<R>() -> R;
    "WAIT" [NotIdempotent] [BlockingTime::block(u64::try_from(timeout).ok())] wait<R>(numreplicas: i64, timeout: i64) -> R;
}

pub(in crate::fred) const BY_HAND: &[CommandInfo] =
    &[by_hand("ServerInterface", "select", "SELECT", "NotIdempotent")];

impl<Via: Sender + NotSentinel> Commands<Via>
where
    Via::Client: ServerInterface,
{
    /// Sends `SELECT` for the database of fred's `Config`, and refuses any other.
    ///
    /// The selected database belongs to the connection: after a reconnect, commands would go to another one, and those
    /// of a [`transaction`](Commands::transaction) or of another member of a pool at once, without an error.
    ///
    /// # Errors
    ///
    /// Returns an error that names the way out for another database: set `Config::database`, which holds on every
    /// connection, or use a client for each.
    pub async fn select<I>(&self, index: I) -> FredResult<()>
    where
        I: TryInto<Value> + Send,
        I::Error: Into<Error> + Send,
    {
        let index = index.try_into().map_err(Into::into)?;
        let command = Command::new("select", NotIdempotent);
        self.sender
            .send(command, None, move |client| {
                let index = index.clone();
                async move {
                    let configured = u64::from(client.client_config().database.unwrap_or(0));
                    if index.as_u64() != Some(configured) {
                        return Err(Error::new(
                            ErrorKind::InvalidCommand,
                            "the selected database is forgotten with the connection; set `Config::database`, or use \
                             a client for each database",
                        ));
                    }
                    client.select(index).await.map(|()| Value::Null)
                }
            })
            .await
            .map(drop)
    }
}
