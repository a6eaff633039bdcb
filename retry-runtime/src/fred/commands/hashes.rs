//! The [hash](https://redis.io/commands#hash) commands.

use ::fred::{
    interfaces::HashesInterface,
    types::{Key, Map, MultipleKeys, Value},
};

use crate::fred::{
    Replay::{Idempotent, NotIdempotent, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { HashesInterface;
    "HGETALL" [Read] hgetall<R, K>(key: K => Into<Key>) -> R;
    "HDEL" [SameState] hdel<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
    "HEXISTS" [Read] hexists<R, K, F>(key: K => Into<Key>, field: F => Into<Key>) -> R;
    "HGET" [Read] hget<R, K, F>(key: K => Into<Key>, field: F => Into<Key>) -> R;
    "HINCRBY" [NotIdempotent] hincrby<R, K, F>(key: K => Into<Key>, field: F => Into<Key>, increment: i64) -> R;
    "HINCRBYFLOAT" [NotIdempotent] hincrbyfloat<R, K, F>(key: K => Into<Key>, field: F => Into<Key>, increment: f64) -> R;
    "HKEYS" [Read] hkeys<R, K>(key: K => Into<Key>) -> R;
    "HLEN" [Read] hlen<R, K>(key: K => Into<Key>) -> R;
    "HMGET" [Read] hmget<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
    "HMSET" [Idempotent] hmset<R, K, V>(key: K => Into<Key>, values: V => TryInto<Map>) -> R;
    "HSET" [SameState] hset<R, K, V>(key: K => Into<Key>, values: V => TryInto<Map>) -> R;
    "HSETNX" [SameState] hsetnx<R, K, F, V>(key: K => Into<Key>, field: F => Into<Key>, value: V => TryInto<Value>) -> R;
    "HRANDFIELD" [Read] hrandfield<R, K>(key: K => Into<Key>, count: Option<(i64, bool)>) -> R;
    "HSTRLEN" [Read] hstrlen<R, K, F>(key: K => Into<Key>, field: F => Into<Key>) -> R;
    "HVALS" [Read] hvals<R, K>(key: K => Into<Key>) -> R;
}

/// The times to live of fields.
#[cfg(feature = "i-hexpire")]
pub(super) mod expire {
    use ::fred::{
        interfaces::HashesInterface,
        types::{ExpireOptions, Key, MultipleKeys},
    };

    use crate::fred::{
        Replay::{Read, SameState},
        commands::commands,
    };

    #[rustfmt::skip] // One line per command.
    commands! { HashesInterface;
        "HTTL" [Read] httl<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
        "HEXPIRE" [SameState] hexpire<R, K, F>(key: K => Into<Key>, seconds: i64, options: Option<ExpireOptions>, fields: F => Into<MultipleKeys>) -> R;
        "HEXPIREAT" [SameState] hexpire_at<R, K, F>(key: K => Into<Key>, time: i64, options: Option<ExpireOptions>, fields: F => Into<MultipleKeys>) -> R;
        "HEXPIRETIME" [Read] hexpire_time<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
        "HPTTL" [Read] hpttl<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
        "HPEXPIRE" [SameState] hpexpire<R, K, F>(key: K => Into<Key>, milliseconds: i64, options: Option<ExpireOptions>, fields: F => Into<MultipleKeys>) -> R;
        "HPEXPIREAT" [SameState] hpexpire_at<R, K, F>(key: K => Into<Key>, time: i64, options: Option<ExpireOptions>, fields: F => Into<MultipleKeys>) -> R;
        "HPEXPIRETIME" [Read] hpexpire_time<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
        "HPERSIST" [SameState] hpersist<R, K, F>(key: K => Into<Key>, fields: F => Into<MultipleKeys>) -> R;
    }
}
