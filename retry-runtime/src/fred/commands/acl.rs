//! The [access control](https://redis.io/commands#acl) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::AclInterface,
    types::{MultipleStrings, MultipleValues, Value},
};

use crate::fred::{
    Replay::{Idempotent, NotIdempotent, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { AclInterface;
    "ACL SETUSER" [NotIdempotent] acl_setuser<S, V>(username: S => Into<Str>, rules: V => TryInto<MultipleValues>);
    "ACL LOAD" [Idempotent] acl_load<>();
    "ACL SAVE" [Idempotent] acl_save<>();
    "ACL LIST" [Read] acl_list<R>() -> R;
    "ACL USERS" [Read] acl_users<R>() -> R;
    "ACL GETUSER" [Read] acl_getuser<R, U>(username: U => TryInto<Value>) -> R;
    "ACL DELUSER" [SameState] acl_deluser<R, S>(usernames: S => Into<MultipleStrings>) -> R;
    "ACL CAT" [Read] acl_cat<R>(category: Option<Str>) -> R;
    "ACL GENPASS" [Read] acl_genpass<R>(bits: Option<u16>) -> R;
    "ACL WHOAMI" [Read] acl_whoami<R>() -> R;
    "ACL LOG" [Read] acl_log_count<R>(count: Option<u32>) -> R;
    "ACL LOG" [Idempotent] acl_log_reset<>();
}
