//! The commands that every client has.

use ::fred::{
    error::Error,
    interfaces::{ClientLike, FredResult},
    types::{CustomCommand, FromValue, InfoKind, Value},
};

use crate::fred::{
    Commands,
    Replay::{self, Idempotent, Read},
    commands::{Command, Sender, Wait, commands},
};

/// Commands that fred has no method for.
impl<Via: Sender> Commands<Via> {
    /// Sends any command, as fred's [`custom`](ClientLike::custom); nobody but the caller knows what it does.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    pub async fn custom<R, T>(&self, cmd: CustomCommand, args: Vec<T>) -> FredResult<R>
    where
        R: FromValue,
        T: TryInto<Value> + Send,
        T::Error: Into<Error> + Send,
    {
        let args = args.into_iter().map(TryInto::try_into).collect::<Result<Vec<Value>, _>>();
        let args = args.map_err(Into::into)?;
        let command = Command { name: "custom", replay: Replay::Opaque, wait: Wait::No };
        self.sender
            .send(command, move |client| {
                let (cmd, args) = (cmd.clone(), args.clone());
                async move { client.custom(cmd, args).await }
            })
            .await?
            .convert()
    }
}

#[rustfmt::skip] // One line per command.
commands! { ClientLike;
    "FLUSHALL" [Idempotent] flushall<R>(r#async: bool) -> R;
    "FLUSHALL" [Idempotent] flushall_cluster<>();
    "PING" [Read] ping<R>(message: Option<String>) -> R;
    "INFO" [Read] info<R>(section: Option<InfoKind>) -> R;
}
