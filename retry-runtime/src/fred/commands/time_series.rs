//! The commands of [time series](https://redis.io/docs/latest/commands/?group=timeseries).

use ::fred::{
    bytes_utils::Str,
    interfaces::{FredResult, TimeSeriesInterface},
    types::{
        FromValue, Key, Map, Value,
        timeseries::{
            Aggregator, DuplicatePolicy, Encoding, GetLabels, GetTimestamp, GroupBy,
            RangeAggregation, Timestamp,
        },
    },
};

use crate::fred::{
    Command, CommandInfo, Commands,
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    Sender,
    commands::{by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { TimeSeriesInterface;
    "TS.ADD" [add_class(&timestamp, on_duplicate.as_ref())] ts_add<R, K, T, L>(key: K => Into<Key>, timestamp: T => TryInto<Timestamp>, value: f64, retention: Option<u64>, encoding: Option<Encoding>, chunk_size: Option<u64>, on_duplicate: Option<DuplicatePolicy>, labels: L => TryInto<Map>) -> R;
    "TS.ALTER" [Idempotent] ts_alter<R, K, L>(key: K => Into<Key>, retention: Option<u64>, chunk_size: Option<u64>, duplicate_policy: Option<DuplicatePolicy>, labels: L => TryInto<Map>) -> R;
    "TS.CREATE" [SameState] ts_create<R, K, L>(key: K => Into<Key>, retention: Option<u64>, encoding: Option<Encoding>, chunk_size: Option<u64>, duplicate_policy: Option<DuplicatePolicy>, labels: L => TryInto<Map>) -> R;
    "TS.CREATERULE" [SameState] ts_createrule<R, S, D>(src: S => Into<Key>, dest: D => Into<Key>, aggregation: (Aggregator, u64), align_timestamp: Option<u64>) -> R;
    "TS.DECRBY" [NotIdempotent] ts_decrby<R, K, L>(key: K => Into<Key>, subtrahend: f64, timestamp: Option<Timestamp>, retention: Option<u64>, uncompressed: bool, chunk_size: Option<u64>, labels: L => TryInto<Map>) -> R;
    "TS.DEL" [SameState] ts_del<R, K>(key: K => Into<Key>, from: i64, to: i64) -> R;
    "TS.DELETERULE" [SameState] ts_deleterule<R, S, D>(src: S => Into<Key>, dest: D => Into<Key>) -> R;
    "TS.GET" [Read] ts_get<R, K>(key: K => Into<Key>, latest: bool) -> R;
    "TS.INCRBY" [NotIdempotent] ts_incrby<R, K, L>(key: K => Into<Key>, addend: f64, timestamp: Option<Timestamp>, retention: Option<u64>, uncompressed: bool, chunk_size: Option<u64>, labels: L => TryInto<Map>) -> R;
    "TS.INFO" [Read] ts_info<R, K>(key: K => Into<Key>, debug: bool) -> R;
    "TS.MGET" [Read] ts_mget<R, L, S, I>(latest: bool, labels: Option<L> => Option<L: Into<GetLabels>>, filters: I => IntoIterator<Item = S> of Into<Str>) -> R;
    "TS.MRANGE" [Read] ts_mrange<R, F, T, I, S, J>(from: F => TryInto<GetTimestamp>, to: T => TryInto<GetTimestamp>, latest: bool, filter_by_ts: I => IntoIterator<Item = i64>, filter_by_value: Option<(i64, i64)>, labels: Option<GetLabels>, count: Option<u64>, aggregation: Option<RangeAggregation>, filters: J => IntoIterator<Item = S> of Into<Str>, group_by: Option<GroupBy>) -> R;
    "TS.MREVRANGE" [Read] ts_mrevrange<R, F, T, I, S, J>(from: F => TryInto<GetTimestamp>, to: T => TryInto<GetTimestamp>, latest: bool, filter_by_ts: I => IntoIterator<Item = i64>, filter_by_value: Option<(i64, i64)>, labels: Option<GetLabels>, count: Option<u64>, aggregation: Option<RangeAggregation>, filters: J => IntoIterator<Item = S> of Into<Str>, group_by: Option<GroupBy>) -> R;
    "TS.QUERYINDEX" [Read] ts_queryindex<R, S, I>(filters: I => IntoIterator<Item = S> of Into<Str>) -> R;
    "TS.RANGE" [Read] ts_range<R, K, F, T, I>(key: K => Into<Key>, from: F => TryInto<GetTimestamp>, to: T => TryInto<GetTimestamp>, latest: bool, filter_by_ts: I => IntoIterator<Item = i64>, filter_by_value: Option<(i64, i64)>, count: Option<u64>, aggregation: Option<RangeAggregation>) -> R;
    "TS.REVRANGE" [Read] ts_revrange<R, K, F, T, I>(key: K => Into<Key>, from: F => TryInto<GetTimestamp>, to: T => TryInto<GetTimestamp>, latest: bool, filter_by_ts: I => IntoIterator<Item = i64>, filter_by_value: Option<(i64, i64)>, count: Option<u64>, aggregation: Option<RangeAggregation>) -> R;
}

pub(in crate::fred) const BY_HAND: &[CommandInfo] =
    &[by_hand("TimeSeriesInterface", "ts_madd", "TS.MADD", "NotIdempotent")];

impl<Via: Sender> Commands<Via>
where
    Via::Client: TimeSeriesInterface,
{
    /// Sends `TS.MADD`, as fred's [`ts_madd`](TimeSeriesInterface::ts_madd).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    pub async fn ts_madd<R, K, I>(&self, samples: I) -> FredResult<R>
    where
        R: FromValue,
        K: Into<Key> + Send,
        I: IntoIterator<Item = (K, Timestamp, f64)> + Send,
    {
        let convert = |(key, timestamp, value): (K, Timestamp, f64)| (key.into(), timestamp, value);
        let samples: Vec<(Key, Timestamp, f64)> = samples.into_iter().map(convert).collect();
        // The policies of the series decide, and some add.
        let replay = NotIdempotent;
        let command = Command::new("ts_madd", replay);
        self.sender
            .send::<Value, _, _>(command, None, move |client| {
                let samples = samples.clone();
                async move { client.ts_madd(samples).await }
            })
            .await?
            .convert()
    }
}

/// The clock gives each sample a time of its own; without a policy the one of the series holds, which may be to add.
fn add_class(timestamp: &Timestamp, on_duplicate: Option<&DuplicatePolicy>) -> Replay {
    use DuplicatePolicy::{Block, First, Last, Max, Min, Sum};
    match on_duplicate {
        _ if *timestamp == Timestamp::Now => NotIdempotent,
        Some(Last | Min | Max) => Idempotent,
        Some(Block | First) => SameState,
        Some(Sum) | None => NotIdempotent,
    }
}
