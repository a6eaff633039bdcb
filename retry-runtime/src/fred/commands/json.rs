//! The commands of [JSON](https://redis.io/docs/latest/commands/?group=json).

use std::collections::HashSet;

use ::fred::{
    bytes_utils::Str,
    interfaces::{FredResult, RedisJsonInterface},
    serde_json::Value,
    types::{FromValue, Key, MultipleKeys, MultipleStrings, SetOptions},
};

use crate::fred::{
    Command, CommandInfo, Commands,
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    Sender,
    commands::{by_hand, commands},
};

#[rustfmt::skip] // One line per command.
commands! { RedisJsonInterface;
    "JSON.ARRAPPEND" [NotIdempotent] json_arrappend<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, values: Vec<V> => Vec<V: Into<Value>>) -> R;
    "JSON.ARRINDEX" [Read] json_arrindex<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, value: V => Into<Value>, start: Option<i64>, stop: Option<i64>) -> R;
    "JSON.ARRINSERT" [NotIdempotent] json_arrinsert<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, index: i64, values: Vec<V> => Vec<V: Into<Value>>) -> R;
    "JSON.ARRLEN" [Read] json_arrlen<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.ARRPOP" [NotIdempotent] json_arrpop<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>, index: Option<i64>) -> R;
    "JSON.ARRTRIM" [trim_class(start, stop)] json_arrtrim<R, K, P>(key: K => Into<Key>, path: P => Into<Str>, start: i64, stop: i64) -> R;
    "JSON.CLEAR" [SameState] json_clear<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.DEBUG MEMORY" [Read] json_debug_memory<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.DEL" [delete_class(&path)] json_del<R, K, P>(key: K => Into<Key>, path: P => Into<Str>) -> R;
    "JSON.GET" [Read] json_get<R, K, I, N, S, P>(key: K => Into<Key>, indent: Option<I> => Option<I: Into<Str>>, newline: Option<N> => Option<N: Into<Str>>, space: Option<S> => Option<S: Into<Str>>, paths: P => Into<MultipleStrings>) -> R;
    "JSON.MERGE" [merge_class(&path, &value)] json_merge<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, value: V => Into<Value>) -> R;
    "JSON.MGET" [Read] json_mget<R, K, P>(keys: K => Into<MultipleKeys>, path: P => Into<Str>) -> R;
    "JSON.NUMINCRBY" [NotIdempotent] json_numincrby<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, value: V => Into<Value>) -> R;
    "JSON.OBJKEYS" [Read] json_objkeys<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.OBJLEN" [Read] json_objlen<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.RESP" [Read] json_resp<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.SET" [set_class(&path, options.as_ref())] json_set<R, K, P, V>(key: K => Into<Key>, path: P => Into<Str>, value: V => Into<Value>, options: Option<SetOptions>) -> R;
    "JSON.STRAPPEND" [NotIdempotent] json_strappend<R, K, P, V>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>, value: V => Into<Value>) -> R;
    "JSON.STRLEN" [Read] json_strlen<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
    "JSON.TOGGLE" [NotIdempotent] json_toggle<R, K, P>(key: K => Into<Key>, path: P => Into<Str>) -> R;
    "JSON.TYPE" [Read] json_type<R, K, P>(key: K => Into<Key>, path: Option<P> => Option<P: Into<Str>>) -> R;
}

pub(in crate::fred) const BY_HAND: &[CommandInfo] =
    &[by_hand("RedisJsonInterface", "json_mset", "JSON.MSET", "mset_class(&values)")];

impl<Via: Sender> Commands<Via>
where
    Via::Client: RedisJsonInterface,
{
    /// Sends `JSON.MSET`, as fred's [`json_mset`](RedisJsonInterface::json_mset).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the reply does not convert.
    pub async fn json_mset<R, K, P, V>(&self, values: Vec<(K, P, V)>) -> FredResult<R>
    where
        R: FromValue,
        K: Into<Key> + Send,
        P: Into<Str> + Send,
        V: Into<Value> + Send,
    {
        let convert = |(key, path, value): (K, P, V)| (key.into(), path.into(), value.into());
        let values: Vec<(Key, Str, Value)> = values.into_iter().map(convert).collect();
        let replay = mset_class(&values);
        let command = Command::new("json_mset", replay);
        self.sender
            .send::<::fred::types::Value, _, _>(command, None, move |client| {
                let values = values.clone();
                async move { client.json_mset(values).await }
            })
            .await?
            .convert()
    }
}

/// Tells whether what was written may be matched by the path again: one that descends, or that looks at values.
fn is_open(path: &str) -> bool {
    path.contains("..") || path.contains('?')
}

/// A condition is met once.
fn set_class(path: &str, options: Option<&SetOptions>) -> Replay {
    match options {
        _ if is_open(path) => NotIdempotent,
        None => Idempotent,
        Some(_) => SameState,
    }
}

/// What `null` does to a place that is not there any more is not told.
fn merge_class(path: &str, value: &Value) -> Replay {
    if is_open(path) || has_null(value) { NotIdempotent } else { Idempotent }
}

/// Values that are set in one another depend on their order.
fn mset_class(values: &[(Key, Str, Value)]) -> Replay {
    let keys: HashSet<_> = values.iter().map(|(key, ..)| key).collect();
    let is_plain = keys.len() == values.len() && !values.iter().any(|(_, path, _)| is_open(path));
    if is_plain { Idempotent } else { NotIdempotent }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// Deleting an element of an array moves the next one to its place.
fn delete_class(path: &str) -> Replay {
    let is_index =
        |name: &str| name.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let has_index = path.contains('[') || path.split('.').any(is_index);
    if has_index { NotIdempotent } else { SameState }
}

/// Keeps a number of elements from the beginning, or cuts off a number each time.
fn trim_class(start: i64, stop: i64) -> Replay {
    if start == 0 && stop >= 0 { SameState } else { NotIdempotent }
}
