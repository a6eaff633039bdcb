//! The [sorted set](https://redis.io/commands#sorted-set) commands.

use ::fred::{
    interfaces::SortedSetsInterface,
    types::{
        Key, Limit, MultipleKeys, MultipleValues, SetOptions, Value,
        sorted_sets::{
            AggregateOptions, MultipleWeights, MultipleZaddValues, Ordering, ZCmp, ZRange, ZSort,
        },
    },
};

use crate::fred::{
    Replay::{self, NotIdempotent, Read, SameState},
    commands::{BlockingTime, commands, same_aggregate, store_class},
};

#[rustfmt::skip] // One line per command.
commands! { SortedSetsInterface;
    "BZMPOP" [NotIdempotent] [BlockingTime::seconds(timeout)] bzmpop<R, K>(timeout: f64, keys: K => Into<MultipleKeys>, sort: ZCmp, count: Option<i64>) -> R;
    "BZPOPMIN" [NotIdempotent] [BlockingTime::seconds(timeout)] bzpopmin<R, K>(keys: K => Into<MultipleKeys>, timeout: f64) -> R;
    "BZPOPMAX" [NotIdempotent] [BlockingTime::seconds(timeout)] bzpopmax<R, K>(keys: K => Into<MultipleKeys>, timeout: f64) -> R;
    "ZADD" [zadd_class(incr)] zadd<R, K, V>(key: K => Into<Key>, options: Option<SetOptions>, ordering: Option<Ordering>, changed: bool, incr: bool, values: V => TryInto<MultipleZaddValues>.inner) -> R;
    "ZCARD" [Read] zcard<R, K>(key: K => Into<Key>) -> R;
    "ZCOUNT" [Read] zcount<R, K>(key: K => Into<Key>, min: f64, max: f64) -> R;
    "ZDIFF" [Read] zdiff<R, K>(keys: K => Into<MultipleKeys>, withscores: bool) -> R;
    "ZDIFFSTORE" [store_class(&dest, keys.clone().inner())] zdiffstore<R, D, K>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>) -> R;
    "ZINCRBY" [NotIdempotent] zincrby<R, K, V>(key: K => Into<Key>, increment: f64, member: V => TryInto<Value>) -> R;
    "ZINTER" [Read] zinter<R, K, W>(keys: K => Into<MultipleKeys>, weights: W => Into<MultipleWeights>.inner, aggregate: Option<AggregateOptions> as same_aggregate, withscores: bool) -> R;
    "ZINTERSTORE" [store_class(&dest, keys.clone().inner())] zinterstore<R, D, K, W>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>, weights: W => Into<MultipleWeights>.inner, aggregate: Option<AggregateOptions> as same_aggregate) -> R;
    "ZLEXCOUNT" [Read] zlexcount<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>) -> R;
    "ZPOPMAX" [NotIdempotent] zpopmax<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "ZPOPMIN" [NotIdempotent] zpopmin<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "ZMPOP" [NotIdempotent] zmpop<R, K>(keys: K => Into<MultipleKeys>, sort: ZCmp, count: Option<i64>) -> R;
    "ZRANDMEMBER" [Read] zrandmember<R, K>(key: K => Into<Key>, count: Option<(i64, bool)>) -> R;
    "ZRANGESTORE" [store_class(&dest, [source.clone()])] zrangestore<R, D, S, M, N>(dest: D => Into<Key>, source: S => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>, sort: Option<ZSort>, rev: bool, limit: Option<Limit>) -> R;
    "ZRANGE" [Read] zrange<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>, sort: Option<ZSort>, rev: bool, limit: Option<Limit>, withscores: bool) -> R;
    "ZRANGEBYLEX" [Read] zrangebylex<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>, limit: Option<Limit>) -> R;
    "ZREVRANGEBYLEX" [Read] zrevrangebylex<R, K, M, N>(key: K => Into<Key>, max: M => TryInto<ZRange>, min: N => TryInto<ZRange>, limit: Option<Limit>) -> R;
    "ZRANGEBYSCORE" [Read] zrangebyscore<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>, withscores: bool, limit: Option<Limit>) -> R;
    "ZREVRANGEBYSCORE" [Read] zrevrangebyscore<R, K, M, N>(key: K => Into<Key>, max: M => TryInto<ZRange>, min: N => TryInto<ZRange>, withscores: bool, limit: Option<Limit>) -> R;
    "ZRANK" [Read] zrank<R, K, V>(key: K => Into<Key>, member: V => TryInto<Value>, withscore: bool) -> R;
    "ZREM" [SameState] zrem<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    // Where the scores differ, it is not told what is in the range, and it may be more the second time.
    "ZREMRANGEBYLEX" [NotIdempotent] zremrangebylex<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>) -> R;
    "ZREMRANGEBYRANK" [NotIdempotent] zremrangebyrank<R, K>(key: K => Into<Key>, start: i64, stop: i64) -> R;
    "ZREMRANGEBYSCORE" [SameState] zremrangebyscore<R, K, M, N>(key: K => Into<Key>, min: M => TryInto<ZRange>, max: N => TryInto<ZRange>) -> R;
    "ZREVRANGE" [Read] zrevrange<R, K>(key: K => Into<Key>, start: i64, stop: i64, withscores: bool) -> R;
    "ZREVRANK" [Read] zrevrank<R, K, V>(key: K => Into<Key>, member: V => TryInto<Value>, withscore: bool) -> R;
    "ZSCORE" [Read] zscore<R, K, V>(key: K => Into<Key>, member: V => TryInto<Value>) -> R;
    "ZUNION" [Read] zunion<R, K, W>(keys: K => Into<MultipleKeys>, weights: W => Into<MultipleWeights>.inner, aggregate: Option<AggregateOptions> as same_aggregate, withscores: bool) -> R;
    "ZUNIONSTORE" [store_class(&dest, keys.clone().inner())] zunionstore<R, D, K, W>(dest: D => Into<Key>, keys: K => Into<MultipleKeys>, weights: W => Into<MultipleWeights>.inner, aggregate: Option<AggregateOptions> as same_aggregate) -> R;
    "ZMSCORE" [Read] zmscore<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
}

/// `INCR` adds each time.
fn zadd_class(incr: bool) -> Replay {
    if incr { NotIdempotent } else { SameState }
}
