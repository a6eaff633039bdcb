//! The commands that one rule cannot make: other results than fred's `FromValue`, arguments within arguments, and
//! the scripts, whose methods in fred lose the options of the attempt.

use ::fred::{
    error::Error,
    interfaces::{ClientLike, FredResult, Resp3Frame},
    types::{ClusterHash, CustomCommand, FromValue, Value},
};

use crate::fred::{Command, CommandInfo, Commands, Direct, Replay, Sender, Target, Wait};

/// Their lines of the table.
pub(in crate::fred) const TABLE: &[CommandInfo] = &[
    line("ClientLike", "custom", "any", "Opaque"),
    line("ClientLike", "custom_raw", "any", "Opaque"),
    #[cfg(feature = "i-client")]
    line("ClientInterface", "client_list", "CLIENT LIST", "Read"),
    #[cfg(feature = "i-scripts")]
    line("FunctionInterface", "function_list", "FUNCTION LIST", "Read"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "eval", "EVAL", "Opaque"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "evalsha", "EVALSHA", "Opaque"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "script_load", "SCRIPT LOAD", "Idempotent"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "script_exists", "SCRIPT EXISTS", "Read"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "script_flush", "SCRIPT FLUSH", "Idempotent"),
    #[cfg(feature = "i-scripts")]
    line("LuaInterface", "script_kill", "SCRIPT KILL", "SameState"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xread_map", "XREAD", "Read"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xreadgroup_map", "XREADGROUP", "NotIdempotent"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xrange_values", "XRANGE", "Read"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xrevrange_values", "XREVRANGE", "Read"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xclaim_values", "XCLAIM", "NotIdempotent"),
    #[cfg(feature = "i-streams")]
    line("StreamsInterface", "xautoclaim_values", "XAUTOCLAIM", "NotIdempotent"),
];

const fn line(
    interface: &'static str,
    method: &'static str,
    command: &'static str,
    replay: &'static str,
) -> CommandInfo {
    CommandInfo { interface, method, command, replay, signature: "by hand" }
}

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
        let wait = if cmd.blocking { Wait::Forever } else { Wait::No };
        let command = Command { name: "custom", replay: Replay::Opaque, wait };
        self.send_custom(command, cmd, args).await?.convert()
    }

    async fn send_custom(
        &self,
        command: Command,
        cmd: CustomCommand,
        args: Vec<Value>,
    ) -> FredResult<Value> {
        let cmd = routed(cmd, &args);
        self.sender
            .send(command, None, move |client| {
                let (cmd, args) = (cmd.clone(), args.clone());
                async move { client.custom(cmd, args).await }
            })
            .await
    }
}

/// Commands whose answer is not taken apart.
impl<C: Target> Commands<Direct<'_, C>> {
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
        let wait = if cmd.blocking { Wait::Forever } else { Wait::No };
        let command = Command { name: "custom_raw", replay: Replay::Opaque, wait };
        self.sender
            .run(command, move |client| {
                let (cmd, args) = (cmd.clone(), args.clone());
                async move { Ok(client.custom_raw(cmd, args).await?) }
            })
            .await
    }
}

#[cfg(feature = "i-client")]
mod connection {
    use ::fred::{
        interfaces::{ClientInterface, FredResult},
        types::{FromValue, client::ClientKillType},
    };

    use super::{Command, Commands, Replay, Sender, Wait};

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
            let command = Command { name: "client_list", replay: Replay::Read, wait: Wait::No };
            self.sender
                .send(command, None, move |client| {
                    let (r#type, ids) = (r#type.clone(), ids.clone());
                    async move { client.client_list::<_, String>(r#type, ids).await }
                })
                .await?
                .convert()
        }
    }
}

#[cfg(feature = "i-scripts")]
mod scripts {
    use ::fred::{
        bytes_utils::Str,
        error::Error,
        interfaces::{FredResult, FunctionInterface},
        types::{
            ClusterHash, CustomCommand, FromValue, MultipleKeys, MultipleStrings, MultipleValues,
            Value,
        },
    };

    use super::{Command, Commands, Replay, Sender, Wait};
    use crate::fred::script::words;

    impl<Via: Sender> Commands<Via>
    where
        Via::Client: FunctionInterface,
    {
        /// Sends `FUNCTION LIST`, as fred's [`function_list`](FunctionInterface::function_list).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the reply does not convert.
        pub async fn function_list<R, S>(
            &self,
            library_name: Option<S>,
            withcode: bool,
        ) -> FredResult<R>
        where
            R: FromValue,
            S: Into<Str> + Send,
        {
            let library_name: Option<Str> = library_name.map(Into::into);
            let command = Command { name: "function_list", replay: Replay::Read, wait: Wait::No };
            self.sender
                .send(command, None, move |client| {
                    let library_name = library_name.clone();
                    async move { client.function_list(library_name, withcode).await }
                })
                .await?
                .convert()
        }
    }

    /// Scripts, as fred's [`LuaInterface`](::fred::interfaces::LuaInterface) sends them.
    ///
    /// An error of a script may come after a part of it was done, so it is not retried, whatever the policy names.
    impl<Via: Sender> Commands<Via> {
        /// Sends `EVAL`, as fred's [`eval`](::fred::interfaces::LuaInterface::eval).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
        pub async fn eval<R, S, K, V>(&self, script: S, keys: K, args: V) -> FredResult<R>
        where
            R: FromValue,
            S: Into<Str> + Send,
            K: Into<MultipleKeys> + Send,
            V: TryInto<MultipleValues> + Send,
            V::Error: Into<Error> + Send,
        {
            let args = args.try_into().map_err(Into::into)?;
            self.send_script("eval", "EVAL", script.into(), keys.into(), args).await?.convert()
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
            let args = args.try_into().map_err(Into::into)?;
            self.send_script("evalsha", "EVALSHA", hash.into(), keys.into(), args).await?.convert()
        }

        async fn send_script(
            &self,
            name: &'static str,
            word: &'static str,
            script: Str,
            keys: MultipleKeys,
            args: MultipleValues,
        ) -> FredResult<Value> {
            let mut words = words(keys, args);
            // The first key follows the script and the number of keys.
            let has_keys = words.first() != Some(&Value::Integer(0));
            let hash = if has_keys { ClusterHash::Offset(2) } else { ClusterHash::Random };
            words.insert(0, Value::String(script));
            let command = Command { name, replay: Replay::Opaque, wait: Wait::No };
            self.send_custom(command, CustomCommand::new_static(word, hash, false), words).await
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

        async fn script(
            &self,
            name: &'static str,
            replay: Replay,
            words: Vec<Value>,
        ) -> FredResult<Value> {
            let command = Command { name, replay, wait: Wait::No };
            let cmd = CustomCommand::new_static("SCRIPT", ClusterHash::Random, false);
            self.send_custom(command, cmd, words).await
        }
    }
}

#[cfg(feature = "i-streams")]
mod streams {
    use std::hash::Hash;

    use ::fred::{
        bytes_utils::Str,
        error::Error,
        interfaces::{FredResult, StreamsInterface},
        types::{
            FromKey, FromValue, Key, MultipleKeys, Value,
            streams::{MultipleIDs, XID, XReadResponse, XReadValue},
        },
    };

    use super::{Commands, Sender};

    /// Results taken apart: each is the method without the ending, and its answer converted.
    #[allow(clippy::too_many_arguments, reason = "the methods have the arguments of fred's")]
    impl<Via: Sender> Commands<Via>
    where
        Via::Client: StreamsInterface,
    {
        /// Sends `XREAD`, as fred's [`xread_map`](StreamsInterface::xread_map).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the reply does not convert.
        pub async fn xread_map<Rk1, Rk2, Rk3, Rv, K, I>(
            &self,
            count: Option<u64>,
            block: Option<u64>,
            keys: K,
            ids: I,
        ) -> FredResult<XReadResponse<Rk1, Rk2, Rk3, Rv>>
        where
            Rk1: FromKey + Hash + Eq,
            Rk2: FromValue,
            Rk3: FromKey + Hash + Eq,
            Rv: FromValue,
            K: Into<MultipleKeys> + Send,
            I: Into<MultipleIDs> + Send,
        {
            self.xread::<Value, K, I>(count, block, keys, ids).await?.into_xread_response()
        }

        /// Sends `XREADGROUP`, as fred's [`xreadgroup_map`](StreamsInterface::xreadgroup_map).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the reply does not convert.
        pub async fn xreadgroup_map<Rk1, Rk2, Rk3, Rv, G, C, K, I>(
            &self,
            group: G,
            consumer: C,
            count: Option<u64>,
            block: Option<u64>,
            noack: bool,
            keys: K,
            ids: I,
        ) -> FredResult<XReadResponse<Rk1, Rk2, Rk3, Rv>>
        where
            Rk1: FromKey + Hash + Eq,
            Rk2: FromValue,
            Rk3: FromKey + Hash + Eq,
            Rv: FromValue,
            G: Into<Str> + Send,
            C: Into<Str> + Send,
            K: Into<MultipleKeys> + Send,
            I: Into<MultipleIDs> + Send,
        {
            self.xreadgroup::<Value, G, C, K, I>(group, consumer, count, block, noack, keys, ids)
                .await?
                .into_xread_response()
        }

        /// Sends `XRANGE`, as fred's [`xrange_values`](StreamsInterface::xrange_values).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
        pub async fn xrange_values<Ri, Rk, Rv, K, S, E>(
            &self,
            key: K,
            start: S,
            end: E,
            count: Option<u64>,
        ) -> FredResult<Vec<XReadValue<Ri, Rk, Rv>>>
        where
            Ri: FromValue,
            Rk: FromKey + Hash + Eq,
            Rv: FromValue,
            K: Into<Key> + Send,
            S: TryInto<Value> + Send,
            S::Error: Into<Error> + Send,
            E: TryInto<Value> + Send,
            E::Error: Into<Error> + Send,
        {
            self.xrange::<Value, K, S, E>(key, start, end, count).await?.into_xread_value()
        }

        /// Sends `XREVRANGE`, as fred's [`xrevrange_values`](StreamsInterface::xrevrange_values).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
        pub async fn xrevrange_values<Ri, Rk, Rv, K, E, S>(
            &self,
            key: K,
            end: E,
            start: S,
            count: Option<u64>,
        ) -> FredResult<Vec<XReadValue<Ri, Rk, Rv>>>
        where
            Ri: FromValue,
            Rk: FromKey + Hash + Eq,
            Rv: FromValue,
            K: Into<Key> + Send,
            S: TryInto<Value> + Send,
            S::Error: Into<Error> + Send,
            E: TryInto<Value> + Send,
            E::Error: Into<Error> + Send,
        {
            self.xrevrange::<Value, K, S, E>(key, end, start, count).await?.into_xread_value()
        }

        /// Sends `XCLAIM`, as fred's [`xclaim_values`](StreamsInterface::xclaim_values).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the reply does not convert.
        pub async fn xclaim_values<Ri, Rk, Rv, K, G, C, I>(
            &self,
            key: K,
            group: G,
            consumer: C,
            min_idle_time: u64,
            ids: I,
            idle: Option<u64>,
            time: Option<u64>,
            retry_count: Option<u64>,
            force: bool,
            justid: bool,
        ) -> FredResult<Vec<XReadValue<Ri, Rk, Rv>>>
        where
            Ri: FromValue,
            Rk: FromKey + Hash + Eq,
            Rv: FromValue,
            K: Into<Key> + Send,
            G: Into<Str> + Send,
            C: Into<Str> + Send,
            I: Into<MultipleIDs> + Send,
        {
            self.xclaim::<Value, K, G, C, I>(
                key,
                group,
                consumer,
                min_idle_time,
                ids,
                idle,
                time,
                retry_count,
                force,
                justid,
            )
            .await?
            .into_xread_value()
        }

        /// Sends `XAUTOCLAIM`, as fred's [`xautoclaim_values`](StreamsInterface::xautoclaim_values).
        ///
        /// # Errors
        ///
        /// Returns the error of the last attempt, or why the reply does not convert.
        pub async fn xautoclaim_values<Ri, Rk, Rv, K, G, C, I>(
            &self,
            key: K,
            group: G,
            consumer: C,
            min_idle_time: u64,
            start: I,
            count: Option<u64>,
            justid: bool,
        ) -> FredResult<(String, Vec<XReadValue<Ri, Rk, Rv>>)>
        where
            Ri: FromValue,
            Rk: FromKey + Hash + Eq,
            Rv: FromValue,
            K: Into<Key> + Send,
            G: Into<Str> + Send,
            C: Into<Str> + Send,
            I: Into<XID> + Send,
        {
            self.xautoclaim::<Value, K, G, C, I>(
                key,
                group,
                consumer,
                min_idle_time,
                start,
                count,
                justid,
            )
            .await?
            .into_xautoclaim_values()
        }
    }
}
