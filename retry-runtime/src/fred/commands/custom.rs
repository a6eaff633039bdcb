//! Commands that fred has no method for.

use ::fred::{
    error::Error,
    interfaces::{ClientLike, FredResult, Resp3Frame},
    types::{ClusterHash, CustomCommand, FromValue, Value},
};

use super::{Errors, by_hand};
use crate::fred::{
    BlockingTime, Command, CommandInfo, Commands, ErrorClass, Replay, Sender, doubt::in_doubt,
};

pub(in crate::fred) const TABLE: &[CommandInfo] = &[
    by_hand("ClientLike", "custom", "any", "Opaque"),
    by_hand("ClientLike", "custom_raw", "any", "Opaque"),
];

fn values<T>(args: Vec<T>) -> FredResult<Vec<Value>>
where
    T: TryInto<Value>,
    T::Error: Into<Error>,
{
    args.into_iter().map(|arg| arg.try_into().map_err(Into::into)).collect()
}

/// Replaces the place of the key by its slot: of a custom command fred heeds only the slot, and else hashes the first
/// text, which of a script is the script.
pub(in crate::fred) fn routed(mut cmd: CustomCommand, args: &[Value]) -> CustomCommand {
    if let ClusterHash::Offset(_) | ClusterHash::FirstValue = cmd.cluster_hash
        && let Some(slot) = cmd.cluster_hash.hash(args)
    {
        cmd.cluster_hash = ClusterHash::Custom(slot);
    }
    cmd
}

/// Sends a command once, and puts into doubt what it may have made up itself.
pub(in crate::fred) async fn once<C: ClientLike>(
    client: &C,
    errors: Errors,
    cmd: CustomCommand,
    args: Vec<Value>,
) -> FredResult<Value> {
    // An error is fred's then, and an answer the server's.
    let answer = client.custom_raw(cmd, args).await.map_err(|error| match errors {
        Errors::Own if ErrorClass::REDIRECT.matches(&error) => in_doubt(error),
        _ => error,
    })?;
    Value::try_from(answer).map_err(|error| match errors {
        Errors::Own => in_doubt(error),
        Errors::Servers => error,
    })
}

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
        let args = values(args)?;
        let wait = if cmd.blocking { BlockingTime::Forever } else { BlockingTime::No };
        let command = Command { wait, ..Command::of_user("custom", Replay::Opaque) };
        self.send_custom(command, cmd, args).await?.convert()
    }

    /// Sends any command, as fred's [`custom_raw`](ClientLike::custom_raw), and returns the frame of the server.
    ///
    /// An error of the server is a frame too, and is not retried.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments do not convert.
    pub async fn custom_raw<T>(&self, cmd: CustomCommand, args: Vec<T>) -> FredResult<Resp3Frame>
    where
        T: TryInto<Value> + Send,
        T::Error: Into<Error> + Send,
    {
        let args = values(args)?;
        let cmd = routed(cmd, &args);
        let wait = if cmd.blocking { BlockingTime::Forever } else { BlockingTime::No };
        let slot = self.sender.slot(|| cmd.cluster_hash.hash(&args));
        let command = Command { wait, slot, ..Command::of_user("custom_raw", Replay::Opaque) };
        self.sender
            .send(command, None, move |client| {
                let (cmd, args) = (cmd.clone(), args.clone());
                async move { client.custom_raw(cmd, args).await }
            })
            .await
    }

    pub(super) async fn send_custom(
        &self,
        command: Command,
        cmd: CustomCommand,
        args: Vec<Value>,
    ) -> FredResult<Value> {
        let cmd = routed(cmd, &args);
        let command =
            Command { slot: self.sender.slot(|| cmd.cluster_hash.hash(&args)), ..command };
        self.sender
            .send(command, None, move |client| {
                let (cmd, args) = (cmd.clone(), args.clone());
                async move { once(&client, command.errors, cmd, args).await }
            })
            .await
    }
}
