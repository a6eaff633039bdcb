//! The [set](https://redis.io/commands#set) commands.

use ::fred::{
    interfaces::SetsInterface,
    types::{Key, MultipleKeys, MultipleValues, Value},
};

use crate::fred::{
    Replay::{NotIdempotent, Read, SameState},
    commands::{commands, store_class},
};

#[rustfmt::skip] // One line per command.
commands! { SetsInterface;
    "SADD" [SameState] sadd<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    "SCARD" [Read] scard<R, K>(key: K => Into<Key>) -> R;
    "SDIFF" [Read] sdiff<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "SDIFFSTORE" [store_class(&dest, keys.clone().inner())] sdiffstore<R, D, K>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>) -> R;
    "SINTER" [Read] sinter<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "SINTERSTORE" [store_class(&dest, keys.clone().inner())] sinterstore<R, D, K>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>) -> R;
    "SISMEMBER" [Read] sismember<R, K, V>(key: K => Into<Key>, member: V => TryInto<Value>) -> R;
    "SMISMEMBER" [Read] smismember<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    "SMEMBERS" [Read] smembers<R, K>(key: K => Into<Key>) -> R;
    "SMOVE" [SameState] smove<R, S, D, V>(source: S => Into<Key>, dest: D => Into<Key>, member: V => TryInto<Value>) -> R;
    "SPOP" [NotIdempotent] spop<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "SRANDMEMBER" [Read] srandmember<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "SREM" [SameState] srem<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    "SUNION" [Read] sunion<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "SUNIONSTORE" [store_class(&dest, keys.clone().inner())] sunionstore<R, D, K>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>) -> R;
}
