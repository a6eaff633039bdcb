//! Scripts, whose methods in fred lose the options of the attempt.

use std::{future::Future, time::Duration};

use ::fred::{
    bytes_utils::Str,
    error::{Error, ErrorKind},
    interfaces::{FredResult, LuaInterface},
    types::{
        ClusterHash, CustomCommand, FromValue, MultipleKeys, MultipleStrings, MultipleValues,
        Value, scripts::ScriptDebugFlag,
    },
};
use tokio::time::timeout;

use super::{by_hand, custom::routed, once};
use crate::fred::{
    Command, CommandInfo, Commands, Direct, ErrorClass, Replay, Sender, Target,
    client::Once,
    doubt::settled,
    script::{is_missing, words},
};

pub(in crate::fred) const TABLE: &[CommandInfo] = &[
    by_hand("LuaInterface", "eval", "EVAL", "Opaque"),
    by_hand("LuaInterface", "evalsha", "EVALSHA", "Opaque"),
    by_hand("LuaInterface", "script_load", "SCRIPT LOAD", "Idempotent"),
    #[cfg(feature = "sha-1")]
    by_hand("LuaInterface", "script_load_cluster", "SCRIPT LOAD", "Idempotent"),
    by_hand("LuaInterface", "script_exists", "SCRIPT EXISTS", "Read"),
    by_hand("LuaInterface", "script_flush", "SCRIPT FLUSH", "Idempotent"),
    by_hand("LuaInterface", "script_flush_cluster", "SCRIPT FLUSH", "Idempotent"),
    by_hand("LuaInterface", "script_kill", "SCRIPT KILL", "SameState"),
    by_hand("LuaInterface", "script_kill_cluster", "SCRIPT KILL", "SameState"),
    by_hand("LuaInterface", "script_debug", "SCRIPT DEBUG", "NotIdempotent"),
];

/// Scripts, as fred's [`LuaInterface`](::fred::interfaces::LuaInterface) sends them.
///
/// An error that a script answers may come after a part of it was done, and may be made up in the words of the server:
/// it is not retried, whatever the policy names, and its [`Disposition`](crate::failure::classify::Disposition) is unknown.
/// Only that a server does not know a hash is asked of it after `NOSCRIPT`.
impl<Via: Sender> Commands<Via> {
    /// Sends `EVAL`, as fred's [`eval`](::fred::interfaces::LuaInterface::eval).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    pub async fn eval<R, S, K, V>(&self, code: S, keys: K, args: V) -> FredResult<R>
    where
        R: FromValue,
        S: Into<Str> + Send,
        K: Into<MultipleKeys> + Send,
        V: TryInto<MultipleValues> + Send,
        V::Error: Into<Error> + Send,
    {
        let args = args.try_into().map_err(Into::into)?;
        let (cmd, words) = script("EVAL", code.into(), keys.into(), args);
        let command = Command::of_user("eval", Replay::Opaque);
        self.send_custom(command, cmd, words).await?.convert()
    }

    /// Sends `EVALSHA`, as fred's [`evalsha`](::fred::interfaces::LuaInterface::evalsha).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    pub async fn evalsha<R, S, K, V>(&self, hash: S, keys: K, args: V) -> FredResult<R>
    where
        R: FromValue,
        S: Into<Str> + Send,
        K: Into<MultipleKeys> + Send,
        V: TryInto<MultipleValues> + Send,
        V::Error: Into<Error> + Send,
    {
        let hash = hash.into();
        let (cmd, words) =
            script("EVALSHA", hash.clone(), keys.into(), args.try_into().map_err(Into::into)?);
        let slot = self.sender.slot(|| cmd.cluster_hash.hash(&words));
        let command = Command { slot, ..Command::of_user("evalsha", Replay::Opaque) };
        let attempt = move |client| {
            let (cmd, words, hash) = (cmd.clone(), words.clone(), hash.clone());
            async move {
                let place = cmd.cluster_hash.clone();
                match once(&client, command.errors, cmd, words).await {
                    // Of a queued command nothing is known yet, so there is no such answer.
                    Err(error)
                        if ErrorClass::NO_SCRIPT.matches(&error)
                            && is_missing(&client, &hash, &place).await =>
                    {
                        Err(settled(error))
                    }
                    result => result,
                }
            }
        };
        self.sender.send(command, None, attempt).await?.convert()
    }

    /// Sends `SCRIPT LOAD`, as fred's [`script_load`](::fred::interfaces::LuaInterface::script_load).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    pub async fn script_load<R, S>(&self, script: S) -> FredResult<R>
    where
        R: FromValue,
        S: Into<Str> + Send,
    {
        let words = vec!["LOAD".into(), Value::String(script.into())];
        self.script("script_load", Replay::Idempotent, words).await?.convert()
    }

    /// Sends `SCRIPT EXISTS`, as fred's [`script_exists`](::fred::interfaces::LuaInterface::script_exists).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    pub async fn script_exists<R, H>(&self, hashes: H) -> FredResult<R>
    where
        R: FromValue,
        H: Into<MultipleStrings> + Send,
    {
        let mut words: Vec<Value> = vec!["EXISTS".into()];
        words.extend(hashes.into().inner().into_iter().map(Value::from));
        self.script("script_exists", Replay::Read, words).await?.convert()
    }

    /// Sends `SCRIPT FLUSH`, as fred's [`script_flush`](::fred::interfaces::LuaInterface::script_flush).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub async fn script_flush(&self, r#async: bool) -> FredResult<()> {
        let mode = if r#async { "ASYNC" } else { "SYNC" };
        let words = vec!["FLUSH".into(), mode.into()];
        self.script("script_flush", Replay::Idempotent, words).await?.convert()
    }

    /// Sends `SCRIPT KILL`, as fred's [`script_kill`](::fred::interfaces::LuaInterface::script_kill).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub async fn script_kill(&self) -> FredResult<()> {
        self.script("script_kill", Replay::SameState, vec!["KILL".into()]).await?.convert()
    }

    /// Sends `SCRIPT DEBUG`, as fred's [`script_debug`](::fred::interfaces::LuaInterface::script_debug).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub async fn script_debug(&self, flag: ScriptDebugFlag) -> FredResult<()> {
        let mode = match flag {
            ScriptDebugFlag::Yes => "YES",
            ScriptDebugFlag::No => "NO",
            ScriptDebugFlag::Sync => "SYNC",
        };
        let words = vec!["DEBUG".into(), mode.into()];
        self.script("script_debug", Replay::NotIdempotent, words).await?.convert()
    }

    async fn script(
        &self,
        name: &'static str,
        replay: Replay,
        words: Vec<Value>,
    ) -> FredResult<Value> {
        let command = Command::new(name, replay);
        let cmd = CustomCommand::new_static("SCRIPT", ClusterHash::Random, false);
        self.send_custom(command, cmd, words).await
    }
}

/// Returns the command of a script or function, and its words.
pub(super) fn script(
    word: &'static str,
    script: Str,
    keys: MultipleKeys,
    args: MultipleValues,
) -> (CustomCommand, Vec<Value>) {
    let mut words = words(keys, args);
    // The first key follows the script and the number of keys.
    let has_keys = words.first() != Some(&Value::Integer(0));
    let hash = if has_keys { ClusterHash::Offset(2) } else { ClusterHash::Random };
    words.insert(0, Value::String(script));
    (routed(CustomCommand::new_static(word, hash, false), &words), words)
}

/// Scripts on every node of a cluster.
///
/// fred writes such a command to each node once and ignores the options of the attempt, so its time is cut from
/// outside: it may still be executed later.
impl<C: Target + LuaInterface> Commands<Direct<'_, C>> {
    /// Sends `SCRIPT LOAD` to every node, as fred's [`script_load_cluster`](LuaInterface::script_load_cluster).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    #[cfg(feature = "sha-1")]
    pub async fn script_load_cluster<R, S>(&self, script: S) -> FredResult<R>
    where
        R: FromValue,
        S: Into<Str> + Send,
    {
        let script = script.into();
        if !self.fred().is_clustered() {
            return self.script_load(script).await;
        }
        let attempt = move |client: Once<C>| {
            let script = script.clone();
            async move { C::script_load_cluster(&client, script).await }
        };
        self.on_all_nodes("script_load_cluster", Replay::Idempotent, attempt).await?.convert()
    }

    /// Sends `SCRIPT FLUSH` to every node, as fred's [`script_flush_cluster`](LuaInterface::script_flush_cluster).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub async fn script_flush_cluster(&self, r#async: bool) -> FredResult<()> {
        if !self.fred().is_clustered() {
            return self.script_flush(r#async).await;
        }
        let attempt = move |client: Once<C>| async move {
            C::script_flush_cluster(&client, r#async).await.map(|()| Value::Null)
        };
        self.on_all_nodes("script_flush_cluster", Replay::Idempotent, attempt).await.map(drop)
    }

    /// Sends `SCRIPT KILL` to every node, as fred's [`script_kill_cluster`](LuaInterface::script_kill_cluster).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub async fn script_kill_cluster(&self) -> FredResult<()> {
        if !self.fred().is_clustered() {
            return self.script_kill().await;
        }
        let attempt = |client: Once<C>| async move {
            C::script_kill_cluster(&client).await.map(|()| Value::Null)
        };
        self.on_all_nodes("script_kill_cluster", Replay::SameState, attempt).await.map(drop)
    }

    async fn on_all_nodes<F, Fut>(
        &self,
        name: &'static str,
        replay: Replay,
        attempt: F,
    ) -> FredResult<Value>
    where
        F: Fn(Once<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<Value>> + Send + 'static,
    {
        let command = Command::new(name, replay);
        self.sender
            .send(command, None, move |client| {
                let limit = client.options().timeout.filter(|limit| !limit.is_zero());
                let attempt = timeout(limit.unwrap_or(Duration::MAX), attempt(client));
                async move {
                    let late = |_| Err(Error::new(ErrorKind::Timeout, "Request timed out."));
                    attempt.await.unwrap_or_else(late)
                }
            })
            .await
    }
}
