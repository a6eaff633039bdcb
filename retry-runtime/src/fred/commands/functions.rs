//! The commands of [functions](https://redis.io/commands#scripting).

use ::fred::{
    bytes::Bytes,
    bytes_utils::Str,
    interfaces::FunctionInterface,
    types::{MultipleKeys, MultipleValues, scripts::FnPolicy},
};

use crate::fred::{
    Replay::{self, Idempotent, Opaque, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { FunctionInterface;
    "FCALL" [Opaque] fcall<R, F, K, V>(func: F => Into<Str>, keys: K => Into<MultipleKeys>, args: V => TryInto<MultipleValues>) -> R;
    "FCALL_RO" [Read] fcall_ro<R, F, K, V>(func: F => Into<Str>, keys: K => Into<MultipleKeys>, args: V => TryInto<MultipleValues>) -> R;
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
