//! The commands whose class promises something, with arguments drawn for them.

use std::{future::Future, pin::Pin, sync::OnceLock};

use fred::{bytes::Bytes, prelude::*, types::scan::ScanType};
use retry_runtime::fred::RetryPipeline;

use super::draw::Draw;

pub(super) type Put = for<'a> fn(&'a RetryPipeline, &mut Draw) -> Queued<'a>;
pub(super) type Queued<'a> = Pin<Box<dyn Future<Output = FredResult<Value>> + Send + 'a>>;

/// A command that is queued with arguments drawn for it.
pub(super) struct Case {
    pub(super) method: &'static str,
    pub(super) put: Put,
}

macro_rules! cases {
    ($draw:ident; $($method:ident($($argument:expr),*);)*) => {
        &[$(Case {
            method: stringify!($method),
            put: |pipeline, $draw| {
                // Some commands have no arguments.
                let _ = &$draw;
                Box::pin(pipeline.$method($($argument),*))
            },
        },)*]
    };
}

#[rustfmt::skip]
pub(super) const STRINGS: &[Case] = cases! { draw;
    get(draw.key()); getrange(draw.key(), draw.small() as usize, draw.small() as usize); strlen(draw.key());
    mget(draw.keys()); set(draw.key(), draw.word(), draw.expiration(), draw.condition(), draw.flag());
    set(draw.key(), draw.word(), draw.expiration(), draw.condition(), false);
    setnx(draw.key(), draw.word()); setrange(draw.key(), draw.small() as u32, draw.one(&["", "a", "xyz"]));
    getset(draw.key(), draw.word()); msetnx(draw.pairs());
    lcs(draw.key(), draw.key(), false, draw.flag(), draw.maybe(Draw::index), draw.flag());
};

#[rustfmt::skip]
pub(super) const KEYS: &[Case] = cases! { draw;
    randomkey(); copy(draw.key(), draw.key(), draw.maybe(|draw| draw.small() as u8), draw.flag()); dump(draw.key());
    r#type(draw.key()); del(draw.keys()); unlink(draw.keys()); rename(draw.key(), draw.key());
    renamenx(draw.key(), draw.key()); ttl(draw.key()); pttl(draw.key()); persist(draw.key());
    expire(draw.key(), draw.seconds(), draw.expire_condition());
    pexpire(draw.key(), draw.one(&[-1, 0, 100_000, 2_000_000, i64::MAX]), draw.expire_condition());
    expire_at(draw.key(), draw.moment(), draw.expire_condition());
    pexpire_at(draw.key(), draw.moment(), draw.expire_condition());
    expire_time(draw.key()); pexpire_time(draw.key()); exists(draw.keys());
    scan_page("0", "k*", draw.maybe(|_| 3), draw.maybe(|draw| draw.one(&[ScanType::List, ScanType::Set])));
    restore(draw.key(), draw.one(&[-1, 0, 1, 100_000]), payload(), draw.flag(), draw.flag(), draw.maybe(|_| 1), None);
    dbsize(); flushall(false);
};

#[rustfmt::skip]
pub(super) const LISTS: &[Case] = cases! { draw;
    lindex(draw.key(), draw.index()); llen(draw.key()); lrange(draw.key(), draw.index(), draw.index());
    lpos(draw.key(), draw.word(), draw.maybe(Draw::index), draw.maybe(Draw::index), draw.maybe(Draw::index));
    lrem(draw.key(), draw.one(&[0, 0, 0, 1, -1, 2]), draw.word()); lset(draw.key(), draw.index(), draw.word());
    ltrim(draw.key(), draw.one(&[0, 0, 1, -1, -2, -3]), draw.one(&[-2, -1, -1, 0, 1, 2, 3]));
    sort(draw.key(), draw.pattern(), draw.maybe(Draw::limit), draw.one(&[vec![], vec!["#"], vec!["k*"]]), draw.order(), draw.flag(), draw.maybe(|draw| draw.key().into()));
    sort(draw.key(), None, draw.maybe(Draw::limit), (), draw.order(), true, draw.maybe(|draw| draw.key().into()));
    sort_ro(draw.key(), draw.pattern(), draw.maybe(Draw::limit), draw.one(&[vec![], vec!["#"], vec!["k*"]]), draw.order(), draw.flag());
};

#[rustfmt::skip]
pub(super) const SETS: &[Case] = cases! { draw;
    sadd(draw.key(), draw.words()); scard(draw.key()); sdiff(draw.keys()); sinter(draw.keys()); sunion(draw.keys());
    sdiffstore(draw.key(), draw.keys()); sinterstore(draw.key(), draw.keys()); sunionstore(draw.key(), draw.keys());
    sismember(draw.key(), draw.word()); smismember(draw.key(), draw.words()); smembers(draw.key());
    smove(draw.key(), draw.key(), draw.word()); srem(draw.key(), draw.words());
    srandmember(draw.key(), draw.maybe(|draw| draw.small() as usize));
};

/// Draws keys and as many weights.
macro_rules! weighted {
    ($pipeline:ident, $draw:ident, $method:ident($($before:expr)?; $($after:expr)?)) => {{
        let keys = $draw.keys();
        let weights = $draw.weights(keys.len());
        Box::pin($pipeline.$method($($before,)? keys, weights, $draw.aggregate() $(, $after)?))
    }};
}

#[rustfmt::skip]
pub(super) const SORTED_SETS: &[Case] = cases! { draw;
    zadd(draw.key(), draw.condition(), draw.ordering(), draw.flag(), false, draw.scored());
    zadd(draw.key(), None, draw.ordering(), draw.flag(), false, draw.scored());
    zcard(draw.key()); zcount(draw.key(), draw.score(), draw.score()); zdiff(draw.keys(), draw.flag());
    zdiffstore(draw.key(), draw.keys()); zlexcount(draw.key(), draw.lexical(), draw.lexical());
    zrandmember(draw.key(), draw.maybe(|draw| (draw.index(), draw.flag())));
    zrangebylex(draw.key(), draw.lexical(), draw.lexical(), draw.maybe(Draw::limit));
    zrevrangebylex(draw.key(), draw.lexical(), draw.lexical(), draw.maybe(Draw::limit));
    zrangebyscore(draw.key(), draw.numeric(), draw.numeric(), draw.flag(), draw.maybe(Draw::limit));
    zrevrangebyscore(draw.key(), draw.numeric(), draw.numeric(), draw.flag(), draw.maybe(Draw::limit));
    zrank(draw.key(), draw.word(), false); zrevrank(draw.key(), draw.word(), draw.flag());
    zrem(draw.key(), draw.words());
    zremrangebyscore(draw.key(), draw.numeric(), draw.numeric());
    zrevrange(draw.key(), draw.index(), draw.index(), draw.flag());
    zscore(draw.key(), draw.word()); zmscore(draw.key(), draw.words());
};

/// Draws the ends of a range of the kind that is asked for.
macro_rules! ranged {
    ($pipeline:ident, $draw:ident, $method:ident($($before:expr),*; $($after:expr)?)) => {{
        let by = $draw.sort();
        let (from, to) = ($draw.end(by.as_ref()), $draw.end(by.as_ref()));
        let (back, limit) = ($draw.flag(), $draw.maybe(Draw::limit).filter(|_| by.is_some()));
        Box::pin($pipeline.$method($($before,)* from, to, by, back, limit $(, $after)?))
    }};
}

/// Arguments that fit together; and one method that answers with nothing.
pub(super) const TOGETHER: &[Case] = &[
    Case { method: "zrange", put: |to, draw| ranged!(to, draw, zrange(draw.key(); draw.flag())) },
    Case {
        method: "zrangestore",
        put: |to, draw| ranged!(to, draw, zrangestore(draw.key(), draw.key();)),
    },
    Case { method: "zinter", put: |to, draw| weighted!(to, draw, zinter(; draw.flag())) },
    Case { method: "zunion", put: |to, draw| weighted!(to, draw, zunion(; draw.flag())) },
    Case { method: "zinterstore", put: |to, draw| weighted!(to, draw, zinterstore(draw.key();)) },
    Case { method: "zunionstore", put: |to, draw| weighted!(to, draw, zunionstore(draw.key();)) },
    Case {
        method: "mset",
        put: |to, draw| {
            let pairs = draw.pairs();
            Box::pin(async move { to.mset(pairs).await.map(|()| Value::Queued) })
        },
    },
];

#[rustfmt::skip]
pub(super) const HASHES: &[Case] = cases! { draw;
    hgetall(draw.key()); hdel(draw.key(), draw.words()); hexists(draw.key(), draw.word()); hget(draw.key(), draw.word());
    hkeys(draw.key()); hlen(draw.key()); hmget(draw.key(), draw.words()); hmset(draw.key(), draw.fields());
    hset(draw.key(), draw.fields()); hsetnx(draw.key(), draw.word(), draw.word());
    hrandfield(draw.key(), draw.maybe(|draw| (draw.index(), draw.flag()))); hstrlen(draw.key(), draw.word());
    hvals(draw.key());
};

#[rustfmt::skip]
pub(super) const LOGS: &[Case] = cases! { draw;
    pfadd(draw.key(), draw.words()); pfcount(draw.keys()); pfmerge(draw.key(), draw.keys());
};

#[rustfmt::skip]
pub(super) const GEO: &[Case] = cases! { draw;
    geoadd(draw.key(), draw.condition(), draw.flag(), draw.positions());
    geohash(draw.key(), draw.words()); geopos(draw.key(), draw.words());
    geodist(draw.key(), draw.word(), draw.word(), draw.maybe(Draw::unit));
    georadius(draw.key(), draw.position(), draw.radius(), draw.unit(), false, false, false, draw.any(), draw.order(), draw.maybe(|draw| draw.key().into()), None);
    georadius(draw.key(), draw.position(), draw.radius(), draw.unit(), false, false, false, draw.any(), draw.order(), None, draw.maybe(|draw| draw.key().into()));
    georadiusbymember(draw.key(), draw.word(), draw.radius(), draw.unit(), false, false, false, draw.any(), draw.order(), draw.maybe(|draw| draw.key().into()), draw.maybe(|draw| draw.key().into()));
    geosearch(draw.key(), draw.center().0, Some(draw.position()), Some((draw.radius(), draw.unit())), None, draw.order(), draw.any(), draw.flag(), draw.flag(), draw.flag());
    geosearchstore(draw.key(), draw.key(), None, draw.center().1, Some((draw.radius(), draw.unit())), None, draw.order(), draw.any(), draw.flag());
};

#[rustfmt::skip]
pub(super) const STREAMS: &[Case] = cases! { draw;
    xinfo_consumers(draw.key(), "g"); xinfo_groups(draw.key()); xinfo_stream(draw.key(), draw.flag(), None);
    xadd(draw.key(), draw.flag(), None, draw.id(), ("f", draw.word()));
    xadd(draw.key(), draw.flag(), draw.cap(), draw.id(), ("f", draw.word()));
    xdel(draw.key(), draw.some(Draw::id));
    xrange(draw.key(), draw.id(), draw.id(), draw.maybe(Draw::small));
    xrevrange(draw.key(), draw.id(), draw.id(), draw.maybe(Draw::small)); xlen(draw.key());
    xread(draw.maybe(Draw::small), None, draw.key(), draw.id());
    xgroup_create(draw.key(), draw.one(&["g", "h"]), draw.id(), draw.flag());
    xgroup_createconsumer(draw.key(), "g", draw.one(&["c", "d"]));
    xgroup_delconsumer(draw.key(), "g", draw.one(&["c", "d"])); xgroup_destroy(draw.key(), draw.one(&["g", "h"]));
    xgroup_setid(draw.key(), "g", draw.id()); xack(draw.key(), "g", draw.some(Draw::id)); xpending(draw.key(), "g", ());
};

/// Reads that answer at random or by the clock.
pub(super) const ANSWERS_VARY: [&str; 8] = [
    "randomkey",
    "hrandfield",
    "srandmember",
    "zrandmember",
    "ttl",
    "pttl",
    "xinfo_consumers",
    "xinfo_stream",
];

/// What `DUMP` answers for a list of one element.
fn payload() -> Value {
    Value::Bytes(PAYLOAD.get().expect("the server was asked first").clone())
}

pub(super) static PAYLOAD: OnceLock<Bytes> = OnceLock::new();
