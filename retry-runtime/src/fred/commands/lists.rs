//! The [list](https://redis.io/commands#list) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::ListInterface,
    types::{
        Key, Limit, MultipleKeys, MultipleStrings, MultipleValues, SortOrder, Value,
        lists::{LMoveDirection, ListLocation},
    },
};

use crate::fred::{
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    commands::{BlockingTime, commands},
};

#[rustfmt::skip] // One line per command.
commands! { ListInterface;
    "BLMPOP" [NotIdempotent] [BlockingTime::seconds(timeout)] blmpop<R, K>(timeout: f64, keys: K => Into<MultipleKeys>, direction: LMoveDirection, count: Option<i64>) -> R;
    "BLPOP" [NotIdempotent] [BlockingTime::seconds(timeout)] blpop<R, K>(keys: K => Into<MultipleKeys>, timeout: f64) -> R;
    "BRPOP" [NotIdempotent] [BlockingTime::seconds(timeout)] brpop<R, K>(keys: K => Into<MultipleKeys>, timeout: f64) -> R;
    "BRPOPLPUSH" [NotIdempotent] [BlockingTime::seconds(timeout)] brpoplpush<R, S, D>(source: S => Into<Key>, destination: D => Into<Key>, timeout: f64) -> R;
    "BLMOVE" [NotIdempotent] [BlockingTime::seconds(timeout)] blmove<R, S, D>(source: S => Into<Key>, destination: D => Into<Key>, source_direction: LMoveDirection, destination_direction: LMoveDirection, timeout: f64) -> R;
    "LMPOP" [NotIdempotent] lmpop<R, K>(keys: K => Into<MultipleKeys>, direction: LMoveDirection, count: Option<i64>) -> R;
    "LINDEX" [Read] lindex<R, K>(key: K => Into<Key>, index: i64) -> R;
    "LINSERT" [NotIdempotent] linsert<R, K, P, V>(key: K => Into<Key>, location: ListLocation, pivot: P => TryInto<Value>, element: V => TryInto<Value>) -> R;
    "LLEN" [Read] llen<R, K>(key: K => Into<Key>) -> R;
    "LPOP" [NotIdempotent] lpop<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "LPOS" [Read] lpos<R, K, V>(key: K => Into<Key>, element: V => TryInto<Value>, rank: Option<i64>, count: Option<i64>, maxlen: Option<i64>) -> R;
    "LPUSH" [NotIdempotent] lpush<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
    "LPUSHX" [NotIdempotent] lpushx<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
    "LRANGE" [Read] lrange<R, K>(key: K => Into<Key>, start: i64, stop: i64) -> R;
    "LREM" [lrem_class(count)] lrem<R, K, V>(key: K => Into<Key>, count: i64, element: V => TryInto<Value>) -> R;
    "LSET" [Idempotent] lset<R, K, V>(key: K => Into<Key>, index: i64, element: V => TryInto<Value>) -> R;
    "LTRIM" [ltrim_class(start, stop)] ltrim<R, K>(key: K => Into<Key>, start: i64, stop: i64) -> R;
    "RPOP" [NotIdempotent] rpop<R, K>(key: K => Into<Key>, count: Option<usize>) -> R;
    "RPOPLPUSH" [NotIdempotent] rpoplpush<R, S, D>(source: S => Into<Key>, dest: D => Into<Key>) -> R;
    "LMOVE" [NotIdempotent] lmove<R, S, D>(source: S => Into<Key>, dest: D => Into<Key>, source_direction: LMoveDirection, dest_direction: LMoveDirection) -> R;
    "RPUSH" [NotIdempotent] rpush<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
    "RPUSHX" [NotIdempotent] rpushx<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
    "SORT" [sort_class(&key, by.is_some() || get.len() > 0, store.as_ref())] sort<R, K, S>(key: K => Into<Key>, by: Option<Str>, limit: Option<Limit>, get: S => Into<MultipleStrings>, order: Option<SortOrder>, alpha: bool, store: Option<Key>) -> R;
    "SORT_RO" [Read] sort_ro<R, K, S>(key: K => Into<Key>, by: Option<Str>, limit: Option<Limit>, get: S => Into<MultipleStrings>, order: Option<SortOrder>, alpha: bool) -> R;
}

/// Removes some of the equal elements at a time, or all at once.
fn lrem_class(count: i64) -> Replay {
    if count == 0 { SameState } else { NotIdempotent }
}

/// Keeps a number of elements from one end, or cuts off a number each time.
fn ltrim_class(start: i64, stop: i64) -> Replay {
    let keeps_head = start == 0 && stop >= -1;
    let keeps_tail = start < 0 && stop == -1;
    if keeps_head || keeps_tail { Idempotent } else { NotIdempotent }
}

/// A destination that is also read, perhaps through a pattern, would be sorted again.
fn sort_class(key: &Key, reads_others: bool, store: Option<&Key>) -> Replay {
    match store {
        Some(store) if store == key || reads_others => NotIdempotent,
        _ => Idempotent,
    }
}
