//! The [stream](https://redis.io/commands#stream) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::StreamsInterface,
    types::{
        Key, MultipleKeys, MultipleStrings, Value,
        streams::{MultipleIDs, MultipleOrderedPairs, XCap, XID, XPendingArgs},
    },
};

use crate::fred::{
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    commands::{BlockingTime, commands},
};

#[rustfmt::skip] // One line per command.
commands! { StreamsInterface;
    "XINFO CONSUMERS" [Read] xinfo_consumers<R, K, S>(key: K => Into<Key>, groupname: S => Into<Str>) -> R;
    "XINFO GROUPS" [Read] xinfo_groups<R, K>(key: K => Into<Key>) -> R;
    "XINFO STREAM" [Read] xinfo_stream<R, K>(key: K => Into<Key>, full: bool, count: Option<u64>) -> R;
    "XADD" [xadd_class(&id)] xadd<R, K, C, I, F>(key: K => Into<Key>, nomkstream: bool, cap: C => TryInto<XCap>, id: I => Into<XID>, fields: F => TryInto<MultipleOrderedPairs>) -> R;
    // With `~` a part is trimmed at a time.
    "XTRIM" [NotIdempotent] xtrim<R, K, C>(key: K => Into<Key>, cap: C => TryInto<XCap>) -> R;
    "XDEL" [SameState] xdel<R, K, S>(key: K => Into<Key>, ids: S => Into<MultipleStrings>) -> R;
    "XRANGE" [Read] xrange<R, K, S, E>(key: K => Into<Key>, start: S => TryInto<Value>, end: E => TryInto<Value>, count: Option<u64>) -> R;
    "XREVRANGE" [Read] xrevrange<R, K, S, E>(key: K => Into<Key>, end: E => TryInto<Value>, start: S => TryInto<Value>, count: Option<u64>) -> R;
    "XLEN" [Read] xlen<R, K>(key: K => Into<Key>) -> R;
    "XREAD" [Read] [BlockingTime::block(block)] xread<R, K, I>(count: Option<u64>, block: Option<u64>, keys: K => Into<MultipleKeys>, ids: I => Into<MultipleIDs>) -> R;
    "XGROUP CREATE" [SameState] xgroup_create<R, K, S, I>(key: K => Into<Key>, groupname: S => Into<Str>, id: I => Into<XID>, mkstream: bool) -> R;
    "XGROUP CREATECONSUMER" [SameState] xgroup_createconsumer<R, K, G, C>(key: K => Into<Key>, groupname: G => Into<Str>, consumername: C => Into<Str>) -> R;
    "XGROUP DELCONSUMER" [SameState] xgroup_delconsumer<R, K, G, C>(key: K => Into<Key>, groupname: G => Into<Str>, consumername: C => Into<Str>) -> R;
    "XGROUP DESTROY" [SameState] xgroup_destroy<R, K, S>(key: K => Into<Key>, groupname: S => Into<Str>) -> R;
    "XGROUP SETID" [Idempotent] xgroup_setid<R, K, S, I>(key: K => Into<Key>, groupname: S => Into<Str>, id: I => Into<XID>) -> R;
    "XREADGROUP" [NotIdempotent] [BlockingTime::block(block)] xreadgroup<R, G, C, K, I>(group: G => Into<Str>, consumer: C => Into<Str>, count: Option<u64>, block: Option<u64>, noack: bool, keys: K => Into<MultipleKeys>, ids: I => Into<MultipleIDs>) -> R;
    "XACK" [SameState] xack<R, K, G, I>(key: K => Into<Key>, group: G => Into<Str>, ids: I => Into<MultipleIDs>) -> R;
    "XCLAIM" [NotIdempotent] xclaim<R, K, G, C, I>(key: K => Into<Key>, group: G => Into<Str>, consumer: C => Into<Str>, min_idle_time: u64, ids: I => Into<MultipleIDs>, idle: Option<u64>, time: Option<u64>, retry_count: Option<u64>, force: bool, justid: bool) -> R;
    "XAUTOCLAIM" [NotIdempotent] xautoclaim<R, K, G, C, I>(key: K => Into<Key>, group: G => Into<Str>, consumer: C => Into<Str>, min_idle_time: u64, start: I => Into<XID>, count: Option<u64>, justid: bool) -> R;
    "XPENDING" [Read] xpending<R, K, G, A>(key: K => Into<Key>, group: G => Into<Str>, args: A => Into<XPendingArgs>) -> R;
}

/// A whole id can be added once, a generated one each time.
fn xadd_class(id: &XID) -> Replay {
    match id {
        XID::Manual(id) if id.contains('-') && !id.contains('*') => SameState,
        _ => NotIdempotent,
    }
}
