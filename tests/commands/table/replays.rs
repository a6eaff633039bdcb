//! What a repeat does: every safe command is run once and twice from the same state, and the server's data compared.

use std::{collections::BTreeSet, future::Future, pin::Pin, time::Duration};

use fred::{
    prelude::*,
    types::{
        ExpireOptions, SortOrder,
        geo::{GeoPosition, GeoUnit, GeoValue},
    },
};
use retry_runtime::{
    RetryPolicy,
    fred::{
        COMMANDS,
        Replay::{self, Idempotent, Read, SameState},
        RetryClient, WithRetry,
    },
};
use retry_tests::{Fault, FaultProxy, RedisServer, redis};

/// Fills a server with a key of every type.
const FILL: &str = "
redis.call('FLUSHALL')
redis.call('SET', 's', 'abc') redis.call('SET', 's2', 'abd') redis.call('SET', 'n', 5)
redis.call('SET', 't', 'x', 'EX', 1000)
redis.call('RPUSH', 'l', 3, 1, 2, 1)
redis.call('SADD', 'a', 1, 2, 3) redis.call('SADD', 'b', 2, 3, 4)
redis.call('ZADD', 'y', 1, 'a', 2, 'b', 3, 'c') redis.call('ZADD', 'z', 2, 'b', 4, 'd')
redis.call('HSET', 'h', 'f', 1, 'g', 'two')
redis.call('PFADD', 'p', 1, 2) redis.call('PFADD', 'q', 2, 3)
redis.call('GEOADD', 'geo', 13, 38, 'Palermo', 15, 37, 'Catania')
redis.call('XADD', 'x', '1-1', 'f', 'v') redis.call('XADD', 'x', '2-1', 'f', 'w')
redis.call('XGROUP', 'CREATE', 'x', 'g', 0)
redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', 'x', '>')";

/// Prints all data in one order, without the times that pass.
pub(super) const DUMP: &str = "
local lines = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local value
  if kind == 'string' then value = {redis.call('GET', key)}
  elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key) table.sort(value)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'hash' then
    value = {}
    for _, field in ipairs(redis.call('HKEYS', key)) do
      value[#value + 1] = field .. '=' .. redis.call('HGET', key, field)
    end
    table.sort(value)
  else
    value = {redis.call('XRANGE', key, '-', '+')}
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
      value[#value + 1] = {group[2], group[8], redis.call('XPENDING', key, group[2])}
      for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, group[2])) do
        value[#value + 1] = {consumer[2], consumer[4]}
      end
    end
  end
  local mortal = redis.call('TTL', key) >= 0 and ' mortal ' or ' '
  lines[#lines + 1] = key .. ' ' .. kind .. mortal .. cjson.encode(value)
end
table.sort(lines)
return table.concat(lines, '; ')";

type Answer<'a> = Pin<Box<dyn Future<Output = FredResult<Value>> + Send + 'a>>;

struct Case {
    method: &'static str,
    class: Replay,
    call: fn(&RetryClient) -> Answer<'_>,
}

macro_rules! cases {
    ($($class:ident $method:ident($($argument:expr),*);)*) => {
        &[$(Case {
            method: stringify!($method),
            class: $class,
            call: |client| Box::pin(client.$method($($argument),*)),
        },)*]
    };
}

const NX: Option<SetOptions> = Some(SetOptions::NX);

#[rustfmt::skip]
const CASES: &[Case] = cases! {
    Read get("s"); Read getrange("s", 0, 1); Read strlen("s"); Read mget(vec!["s", "n"]); Read ttl("s"); Read pttl("s");
    Read exists("s"); Read dump("s"); Read r#type("l"); Read lcs("s", "s2", false, false, None, false);
    Read expire_time("s"); Read pexpire_time("s"); Read scan_page("0", "*", None, None);
    Idempotent set("s", "new", None, None, false);
    Idempotent set("s", "new", Some(Expiration::EX(100)), None, false);
    Idempotent set("s", "new", None, Some(SetOptions::XX), false);
    SameState set("fresh", "new", None, NX, false);
    SameState set("s", "new", None, None, true);
    SameState setnx("fresh", 1); SameState getset("s", "new"); Idempotent setrange("s", 2, "xyz");
    SameState msetnx(vec![("fresh", "1"), ("fresher", "2")]);
    SameState del("s"); SameState unlink(vec!["s", "n"]); SameState rename("s", "moved"); SameState renamenx("s", "moved");
    SameState persist("t"); Idempotent expire("s", 100, None); SameState expire("s", -1, None);
    SameState expire("s", 100, Some(ExpireOptions::NX)); SameState expire_at("s", 1, None);
    Idempotent pexpire("s", 100_000, None); SameState pexpire_at("s", 1, None);
    Idempotent copy("s", "copied", None, true); SameState copy("s", "copied", None, false);

    Read lindex("l", 0); Read llen("l"); Read lpos("l", 1, None, None, None); Read lrange("l", 0, -1);
    Read sort_ro("l", None, None, (), Some(SortOrder::Asc), false);
    Idempotent sort("l", None, None, (), Some(SortOrder::Asc), false, None);
    Idempotent sort("l", None, None, (), Some(SortOrder::Asc), false, Some(Key::from("sorted")));
    Idempotent lset("l", 0, "new"); SameState lrem("l", 0, 1); Idempotent ltrim("l", 0, 1); Idempotent ltrim("l", -2, -1);

    Read scard("a"); Read sdiff(vec!["a", "b"]); Read sinter(vec!["a", "b"]); Read sunion(vec!["a", "b"]);
    Read sismember("a", 1); Read smismember("a", vec![1, 9]); Read smembers("a");
    Idempotent sdiffstore("fresh", vec!["a", "b"]); Idempotent sinterstore("fresh", vec!["a", "b"]);
    Idempotent sunionstore("fresh", vec!["a", "b"]);
    SameState sadd("a", vec![3, 9]); SameState srem("a", vec![1, 9]); SameState smove("a", "b", 1);

    Read zcard("y"); Read zcount("y", 0.0, 9.0); Read zdiff(vec!["y", "z"], true); Read zlexcount("y", "-", "+");
    Read zinter(vec!["y", "z"], vec![], None, true); Read zunion(vec!["y", "z"], vec![], None, true);
    Read zrange("y", 0, -1, None, false, None, true); Read zrangebylex("y", "-", "+", None);
    Read zrevrangebylex("y", "+", "-", None); Read zrangebyscore("y", 0, 9, true, None);
    Read zrevrangebyscore("y", 9, 0, true, None); Read zrank("y", "b", false); Read zrevrank("y", "b", false);
    Read zrevrange("y", 0, -1, true); Read zscore("y", "b"); Read zmscore("y", vec!["a", "q"]);
    Idempotent zdiffstore("fresh", vec!["y", "z"]); Idempotent zrangestore("fresh", "y", 0, 1, None, false, None);
    Idempotent zinterstore("fresh", vec!["y", "z"], vec![], None);
    Idempotent zunionstore("fresh", vec!["y", "z"], vec![], None);
    SameState zadd("y", None, None, false, false, vec![(7.0, "a"), (8.0, "new")]); SameState zrem("y", "a");
    SameState zremrangebyscore("y", 0.0, 2.0);

    Read hgetall("h"); Read hexists("h", "f"); Read hget("h", "f"); Read hkeys("h"); Read hlen("h");
    Read hmget("h", vec!["f", "q"]); Read hstrlen("h", "g"); Read hvals("h");
    Idempotent hmset("h", ("f", "new")); SameState hset("h", ("new", 1)); SameState hsetnx("h", "new", 1);
    SameState hdel("h", vec!["f"]);

    Idempotent pfcount("p"); Idempotent pfmerge("fresh", vec!["p", "q"]); SameState pfadd("p", vec![9]);

    Read geohash("geo", "Palermo"); Read geopos("geo", "Palermo"); Read geodist("geo", "Palermo", "Catania", None);
    Read geosearch("geo", Some(Value::from("Palermo")), None, Some((900.0, GeoUnit::Kilometers)), None, None, None, false, false, false);
    Idempotent geosearchstore("fresh", "geo", Some(Value::from("Palermo")), None, Some((900.0, GeoUnit::Kilometers)), None, None, None, false);
    Idempotent georadius("geo", GeoPosition::from((13.0, 38.0)), 900.0, GeoUnit::Kilometers, false, false, false, None, None, None, None);
    Idempotent georadius("geo", GeoPosition::from((13.0, 38.0)), 900.0, GeoUnit::Kilometers, false, false, false, None, None, Some(Key::from("fresh")), None);
    Idempotent georadiusbymember("geo", "Palermo", 900.0, GeoUnit::Kilometers, false, false, false, None, None, None, None);
    SameState geoadd("geo", None, false, vec![GeoValue { coordinates: GeoPosition::from((9.0, 9.0)), member: Value::from("sea") }]);

    Read xlen("x"); Read xrange("x", "-", "+", None); Read xrevrange("x", "+", "-", None); Read xread(None, None, "x", "0");
    Read xinfo_groups("x"); Read xinfo_stream("x", false, None); Read xpending("x", "g", ());
    SameState xadd("x", false, None, "9-1", ("f", "new")); SameState xdel("x", vec!["1-1"]); SameState xack("x", "g", "1-1");
    SameState xgroup_create("x", "fresh", "0", false);
    SameState xgroup_createconsumer("x", "g", "fresh"); SameState xgroup_delconsumer("x", "g", "c");
    SameState xgroup_destroy("x", "g"); Idempotent xgroup_setid("x", "g", "1-1");
    Idempotent flushall(false);
};

/// Safe commands without a case: answers at random or by the clock, newer than the oldest server, or about the server
/// and not about data.
const WITHOUT_CASE: &[&str] = &[
    "randomkey",
    "hrandfield",
    "srandmember",
    "zrandmember",
    "xinfo_consumers",
    "ping",
    "info",
    "flushall_cluster",
    "lastsave",
    "dbsize",
    // Needs a value that a server of the same version dumped.
    "restore",
];

const INTERFACES: [&str; 10] = [
    "ClientLike",
    "GeoInterface",
    "HashesInterface",
    "HyperloglogInterface",
    "KeysInterface",
    "ListInterface",
    "ServerInterface",
    "SetsInterface",
    "SortedSetsInterface",
    "StreamsInterface",
];

fn run(server: &RedisServer, script: &str) -> String {
    let reply = server.command(&["EVAL", script, "0"]);
    assert!(!reply.starts_with('-'), "{reply}");
    reply
}

pub(super) async fn client(port: u16) -> RetryClient {
    let mut builder = Builder::from_config(redis(port));
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    builder.with_performance_config(|performance| {
        performance.default_command_timeout = Duration::from_secs(5);
    });
    let client = builder.build().expect("the configuration is complete");
    client.init().await.expect("the server is up");
    client.with_retry(RetryPolicy::constant(Duration::ZERO).retries(3))
}

/// All cases; one method answers with nothing, which the macro does not know.
fn cases() -> impl Iterator<Item = &'static Case> {
    const MSET: Case = Case {
        method: "mset",
        class: Idempotent,
        call: |client| {
            Box::pin(async {
                client.mset(vec![("s", "1"), ("fresh", "2")]).await.map(|()| Value::Null)
            })
        },
    };
    CASES.iter().chain([&MSET])
}

#[tokio::test]
async fn a_repeat_leaves_the_same_data_and_where_promised_the_same_answer() {
    let server = RedisServer::start(&[]);
    let client = client(server.port()).await;
    for case in cases() {
        let method = case.method;
        run(&server, FILL);
        let before = run(&server, DUMP);
        let first = (case.call)(&client).await;
        assert!(first.is_ok(), "{method}: {first:?}");
        let once = run(&server, DUMP);
        let second = (case.call)(&client).await;
        assert_eq!(once, run(&server, DUMP), "{method}: a repeat changed the data");
        if case.class == Read {
            assert_eq!(before, once, "{method} is no read");
        }
        if case.class <= Idempotent {
            assert_eq!(first, second, "{method}: the repeat answered otherwise");
        }
    }
}

/// Why some commands that look safe are not; random ones found it.
#[tokio::test]
async fn a_second_time_may_do_more_or_answer_otherwise() {
    let server = RedisServer::start(&["--stream-node-max-entries", "2"]);
    let client = client(server.port()).await;
    for id in ["1-1", "2-1", "3-1", "4-1"] {
        let _: String = client.xadd("x", false, None, id, ("f", "v")).await.expect("added");
    }
    for left in [2, 0] {
        let _: i64 = client.xtrim("x", ("MAXLEN", "~", 0, Some(2))).await.expect("trimmed");
        assert_eq!(client.xlen("x").await, Ok(left), "a limit trims a part at a time");
    }
    client.set::<(), _, _>("s", 1, None, None, false).await.expect("set");
    for answer in [Some("OK".to_owned()), None] {
        let passed = Some(Expiration::EXAT(1));
        let set = client.set("s", 2, passed, Some(SetOptions::XX), false).await;
        assert_eq!(set, Ok(answer), "a key whose time has passed is not there any more");
    }
}

/// The class that the client goes by is seen from outside: a lost reply is followed by a replay, or not.
#[tokio::test]
async fn a_lost_reply_is_followed_by_a_replay_exactly_if_the_class_allows_it() {
    let server = RedisServer::start(&[]);
    let proxy = FaultProxy::start(server.port()).await.expect("a free port");
    let client = client(proxy.port()).await;
    for case in cases() {
        run(&server, FILL);
        let lines = COMMANDS.iter().copied().flatten();
        let line = lines
            .filter(|line| INTERFACES.contains(&line.interface))
            .find(|line| line.method == case.method)
            .expect("a line of the table");
        let word = line.command.split(' ').next().expect("a word");
        let before = proxy.sent(word);
        proxy.inject(word, Fault::LoseReply, 1);
        let result = (case.call)(&client).await;
        let sends = proxy.sent(word) - before;
        let expected = if case.class <= Idempotent { 2 } else { 1 };
        assert_eq!(sends, expected, "{} is {:?}: {result:?}", case.method, case.class);
    }
}

#[test]
fn every_safe_command_has_a_case() {
    let cases: BTreeSet<_> = cases().map(|case| case.method).collect();
    let lines = COMMANDS.iter().copied().flatten();
    let missing = lines
        .filter(|line| INTERFACES.contains(&line.interface))
        .filter(|line| line.replay != "NotIdempotent" && line.replay != "Opaque")
        .map(|line| line.method)
        .filter(|method| !cases.contains(method) && !WITHOUT_CASE.contains(method))
        .filter(|method| !method.ends_with("_map") && !method.ends_with("_values"))
        // The times to live of fields came with Redis 7.4.
        .filter(|method| !method.starts_with("hexpire") && !method.starts_with("hpe"))
        .filter(|method| !matches!(*method, "httl" | "hpttl"))
        .collect::<Vec<_>>();
    // `ZADD` and `LREM` may be unsafe by their options; their safe uses are cases.
    assert_eq!(missing, Vec::<&str>::new());
}
