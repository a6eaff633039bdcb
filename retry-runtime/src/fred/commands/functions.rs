//! The commands of [functions](https://redis.io/commands#scripting).

use ::fred::{
    bytes::Bytes,
    bytes_utils::Str,
    error::Error,
    interfaces::{FredResult, FunctionInterface},
    types::{FromValue, MultipleKeys, MultipleValues, scripts::FnPolicy},
};

use super::scripts::script;
use crate::fred::{
    Command, CommandInfo, Commands,
    Replay::{self, Idempotent, Opaque, Read, SameState},
    Sender,
    commands::{by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { FunctionInterface;
    "FUNCTION DELETE" [SameState] function_delete<R, S>(library_name: S => Into<Str>) -> R;
    "FUNCTION DELETE" [SameState] function_delete_cluster<S>(library_name: S => Into<Str>);
    "FUNCTION DUMP" [Read] function_dump<R>() -> R;
    "FUNCTION FLUSH" [Idempotent] function_flush<R>(r#async: bool) -> R;
    "FUNCTION FLUSH" [Idempotent] function_flush_cluster<>(r#async: bool);
    "FUNCTION KILL" [SameState] function_kill<R>() -> R;
    "FUNCTION LIST" [Read] function_list<R, S>(library_name: Option<S> => Option<S: Into<Str>>, withcode: bool) -> R;
    "FUNCTION LOAD" [load_class(replace)] function_load<R, S>(replace: bool, code: S => Into<Str>) -> R;
    "FUNCTION LOAD" [load_class(replace)] function_load_cluster<R, S>(replace: bool, code: S => Into<Str>) -> R;
    "FUNCTION RESTORE" [restore_class(&policy)] function_restore<R, B, P>(serialized: B => Into<Bytes>, policy: P => TryInto<FnPolicy>) -> R;
    "FUNCTION RESTORE" [restore_class(&policy)] function_restore_cluster<B, P>(serialized: B => Into<Bytes>, policy: P => TryInto<FnPolicy>);
    "FUNCTION STATS" [Read] function_stats<R>() -> R;
}

/// Without `REPLACE` the second is refused.
fn load_class(replace: bool) -> Replay {
    if replace { Idempotent } else { SameState }
}

/// What is appended a second time is refused.
fn restore_class(policy: &FnPolicy) -> Replay {
    if matches!(policy, FnPolicy::Append) { SameState } else { Idempotent }
}

pub(in crate::fred) const BY_HAND: &[CommandInfo] = &[
    by_hand("FunctionInterface", "fcall", "FCALL", "Opaque"),
    by_hand("FunctionInterface", "fcall_ro", "FCALL_RO", "Read"),
];

/// Functions, whose errors may be made up as those of scripts.
impl<Via: Sender> Commands<Via>
where
    Via::Client: FunctionInterface,
{
    /// Sends `FCALL`, as fred's [`fcall`](FunctionInterface::fcall).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    pub async fn fcall<R, F, K, V>(&self, func: F, keys: K, args: V) -> FredResult<R>
    where
        R: FromValue,
        F: Into<Str> + Send,
        K: Into<MultipleKeys> + Send,
        V: TryInto<MultipleValues> + Send,
        V::Error: Into<Error> + Send,
    {
        let args = args.try_into().map_err(Into::into)?;
        let (cmd, words) = script("FCALL", func.into(), keys.into(), args);
        let command = Command::of_user("fcall", Opaque);
        self.send_custom(command, cmd, words).await?.convert()
    }

    /// Sends `FCALL_RO`, as fred's [`fcall_ro`](FunctionInterface::fcall_ro).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    pub async fn fcall_ro<R, F, K, V>(&self, func: F, keys: K, args: V) -> FredResult<R>
    where
        R: FromValue,
        F: Into<Str> + Send,
        K: Into<MultipleKeys> + Send,
        V: TryInto<MultipleValues> + Send,
        V::Error: Into<Error> + Send,
    {
        let args = args.try_into().map_err(Into::into)?;
        let (cmd, words) = script("FCALL_RO", func.into(), keys.into(), args);
        let command = Command::of_user("fcall_ro", Read);
        self.send_custom(command, cmd, words).await?.convert()
    }
}
