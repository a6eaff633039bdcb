//! The commands about [connections](https://redis.io/commands#connection).

use ::fred::{
    bytes_utils::Str,
    interfaces::{ClientInterface, FredResult},
    types::{
        ClientUnblockFlag, FromValue, Value,
        client::{ClientKillFilter, ClientKillType, ClientPauseKind, ClientReplyFlag},
    },
};

use crate::fred::{
    Command, CommandInfo, Commands,
    Replay::{Idempotent, NotIdempotent, Read, SameState},
    Sender,
    commands::{by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { ClientInterface;
    "CLIENT ID" [Read] client_id<R>() -> R;
    "CLIENT INFO" [Read] client_info<R>() -> R;
    "CLIENT KILL" [SameState] client_kill<R>(filters: Vec<ClientKillFilter>) -> R;
    "CLIENT GETNAME" [Read] client_getname<R>() -> R;
    "CLIENT SETNAME" [NotIdempotent] client_setname<S>(name: S => Into<Str>);
    "CLIENT PAUSE" [Idempotent] client_pause<>(timeout: i64, mode: Option<ClientPauseKind>);
    "CLIENT UNPAUSE" [Idempotent] client_unpause<>();
    "CLIENT REPLY" [NotIdempotent] client_reply<>(flag: ClientReplyFlag);
    "CLIENT UNBLOCK" [SameState] client_unblock<R, S>(id: S => Into<Value>, flag: Option<ClientUnblockFlag>) -> R;
    "CLIENT UNBLOCK" [SameState] unblock_self<>(flag: Option<ClientUnblockFlag>);
    "ECHO" [Read] echo<R, M>(message: M => TryInto<Value>) -> R;
}

pub(in crate::fred) const BY_HAND: &[CommandInfo] =
    &[by_hand("ClientInterface", "client_list", "CLIENT LIST", "Read")];

impl<Via: Sender> Commands<Via>
where
    Via::Client: ClientInterface,
{
    /// Sends `CLIENT LIST`, as fred's [`client_list`](ClientInterface::client_list).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    pub async fn client_list<R, I>(
        &self,
        r#type: Option<ClientKillType>,
        ids: Option<Vec<String>>,
    ) -> FredResult<R>
    where
        R: FromValue,
    {
        let command = Command::new("client_list", Read);
        self.sender
            .send(command, None, move |client| {
                let (r#type, ids) = (r#type.clone(), ids.clone());
                async move { client.client_list::<Value, String>(r#type, ids).await }
            })
            .await?
            .convert()
    }
}

/// The commands of client-side caching.
#[cfg(feature = "i-tracking")]
pub(super) mod tracking {
    use ::fred::{
        interfaces::ClientInterface,
        types::{MultipleStrings, client::Toggle},
    };

    use crate::fred::{
        Replay::{NotIdempotent, Read},
        commands::commands,
    };

    #[rustfmt::skip] // One line per command.
    commands! { ClientInterface;
        "CLIENT TRACKING" [NotIdempotent] client_tracking<R, T, P>(toggle: T => TryInto<Toggle>, redirect: Option<i64>, prefixes: P => Into<MultipleStrings>, bcast: bool, optin: bool, optout: bool, noloop: bool) -> R;
        "CLIENT TRACKINGINFO" [Read] client_trackinginfo<R>() -> R;
        "CLIENT GETREDIR" [Read] client_getredir<R>() -> R;
        "CLIENT CACHING" [NotIdempotent] client_caching<R>(enabled: bool) -> R;
    }
}
