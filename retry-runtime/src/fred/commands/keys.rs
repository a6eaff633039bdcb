//! The [generic](https://redis.io/commands#generic) and [string](https://redis.io/commands#string) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::KeysInterface,
    types::{Expiration, ExpireOptions, Key, Map, MultipleKeys, SetOptions, Value, scan::ScanType},
};

use crate::fred::{
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { KeysInterface + NotSentinel;
    "WATCH" [NotIdempotent] watch<K>(keys: K => Into<MultipleKeys>);
    "UNWATCH" [NotIdempotent] unwatch<>();
    "RANDOMKEY" [Read] randomkey<R>() -> R;
    "COPY" [replace_class(replace)] copy<R, S, D>(source: S => Into<Key>, destination: D => Into<Key>, db: Option<u8>, replace: bool) -> R;
    "DUMP" [Read] dump<R, K>(key: K => Into<Key>) -> R;
    "TYPE" [Read] r#type<R, K>(key: K => Into<Key>) -> R;
    "RESTORE" [replace_class(replace)] restore<R, K>(key: K => Into<Key>, ttl: i64, serialized: Value, replace: bool, absttl: bool, idletime: Option<i64>, frequency: Option<i64>) -> R;
    "SET" [set_class(expire.as_ref(), options.as_ref(), get)] set<R, K, V>(key: K => Into<Key>, value: V => TryInto<Value>, expire: Option<Expiration>, options: Option<SetOptions>, get: bool) -> R;
    "SETNX" [SameState] setnx<R, K, V>(key: K => Into<Key>, value: V => TryInto<Value>) -> R;
    "GET" [Read] get<R, K>(key: K => Into<Key>) -> R;
    "GETRANGE" [Read] getrange<R, K>(key: K => Into<Key>, start: usize, end: usize) -> R;
    "SETRANGE" [Idempotent] setrange<R, K, V>(key: K => Into<Key>, offset: u32, value: V => TryInto<Value>) -> R;
    "GETSET" [SameState] getset<R, K, V>(key: K => Into<Key>, value: V => TryInto<Value>) -> R;
    "GETDEL" [NotIdempotent] getdel<R, K>(key: K => Into<Key>) -> R;
    "STRLEN" [Read] strlen<R, K>(key: K => Into<Key>) -> R;
    "DEL" [SameState] del<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "UNLINK" [SameState] unlink<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "RENAME" [SameState] rename<R, S, D>(source: S => Into<Key>, destination: D => Into<Key>) -> R;
    "RENAMENX" [SameState] renamenx<R, S, D>(source: S => Into<Key>, destination: D => Into<Key>) -> R;
    "APPEND" [NotIdempotent] append<R, K, V>(key: K => Into<Key>, value: V => TryInto<Value>) -> R;
    "MGET" [Read] mget<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "MSET" [Idempotent] mset<V>(values: V => TryInto<Map>);
    "MSETNX" [SameState] msetnx<R, V>(values: V => TryInto<Map>) -> R;
    "INCR" [NotIdempotent] incr<R, K>(key: K => Into<Key>) -> R;
    "INCRBY" [NotIdempotent] incr_by<R, K>(key: K => Into<Key>, val: i64) -> R;
    "INCRBYFLOAT" [NotIdempotent] incr_by_float<R, K>(key: K => Into<Key>, val: f64) -> R;
    "DECR" [NotIdempotent] decr<R, K>(key: K => Into<Key>) -> R;
    "DECRBY" [NotIdempotent] decr_by<R, K>(key: K => Into<Key>, val: i64) -> R;
    "TTL" [Read] ttl<R, K>(key: K => Into<Key>) -> R;
    "PTTL" [Read] pttl<R, K>(key: K => Into<Key>) -> R;
    "PERSIST" [SameState] persist<R, K>(key: K => Into<Key>) -> R;
    "EXPIRE" [expire_class(seconds, options.as_ref())] expire<R, K>(key: K => Into<Key>, seconds: i64, options: Option<ExpireOptions>) -> R;
    "EXPIREAT" [SameState] expire_at<R, K>(key: K => Into<Key>, timestamp: i64, options: Option<ExpireOptions>) -> R;
    "EXPIRETIME" [Read] expire_time<R, K>(key: K => Into<Key>) -> R;
    "PEXPIRE" [expire_class(milliseconds, options.as_ref())] pexpire<R, K>(key: K => Into<Key>, milliseconds: i64, options: Option<ExpireOptions>) -> R;
    "PEXPIREAT" [SameState] pexpire_at<R, K>(key: K => Into<Key>, timestamp: i64, options: Option<ExpireOptions>) -> R;
    "PEXPIRETIME" [Read] pexpire_time<R, K>(key: K => Into<Key>) -> R;
    "EXISTS" [Read] exists<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "LCS" [Read] lcs<R, K1, K2>(key1: K1 => Into<Key>, key2: K2 => Into<Key>, len: bool, idx: bool, minmatchlen: Option<i64>, withmatchlen: bool) -> R;
    "SCAN" [Read] scan_page<R, S, P>(cursor: S => Into<Str>, pattern: P => Into<Str>, count: Option<u32>, r#type: Option<ScanType>) -> R;
}

/// With `NX` or `GET` the answer tells the first from the second; with `XX` a time that has passed deletes the key that
/// the second asks for.
fn set_class(expire: Option<&Expiration>, options: Option<&SetOptions>, get: bool) -> Replay {
    match options {
        _ if get => SameState,
        None => Idempotent,
        Some(SetOptions::XX) if expire.is_none_or(|expire| *expire == Expiration::KEEPTTL) => {
            Idempotent
        }
        Some(_) => SameState,
    }
}

/// A condition is met once, and a time that has passed deletes the key once; so may one given by the clock.
fn expire_class(time: i64, options: Option<&ExpireOptions>) -> Replay {
    if time <= 0 || options.is_some() { SameState } else { Idempotent }
}

/// Without `REPLACE` the second is refused.
fn replace_class(replace: bool) -> Replay {
    if replace { Idempotent } else { SameState }
}
