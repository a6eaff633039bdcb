//! The stream commands whose answers are taken apart.

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

use super::by_hand;
use crate::fred::{CommandInfo, Commands, Sender};

pub(in crate::fred) const TABLE: &[CommandInfo] = &[
    by_hand("StreamsInterface", "xread_map", "XREAD", "Read"),
    by_hand("StreamsInterface", "xreadgroup_map", "XREADGROUP", "NotIdempotent"),
    by_hand("StreamsInterface", "xrange_values", "XRANGE", "Read"),
    by_hand("StreamsInterface", "xrevrange_values", "XREVRANGE", "Read"),
    by_hand("StreamsInterface", "xclaim_values", "XCLAIM", "NotIdempotent"),
    by_hand("StreamsInterface", "xautoclaim_values", "XAUTOCLAIM", "NotIdempotent"),
];

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
