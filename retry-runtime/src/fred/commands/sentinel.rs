//! The commands of [Sentinel](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel).
//!
//! Some have the names of other commands, and one type cannot have two methods of one name; so these are methods of a
//! wrapped `SentinelClient` only, and the others of everything that is [`NotSentinel`].
//! fred gives them to no client with options, so an attempt is a custom command of the same words.
//!
//! [`NotSentinel`]: crate::fred::NotSentinel

use std::net::IpAddr;

use ::fred::{
    bytes_utils::Str,
    clients::SentinelClient,
    types::{Map, SentinelFailureKind, Value},
};

use crate::fred::{
    Replay::{Idempotent, NotIdempotent, Read, SameState},
    Sender,
    commands::{commands, words::Words},
};

#[rustfmt::skip] // One line per command.
commands! { SentinelInterface of SentinelClient;
    "SENTINEL CKQUORUM" [Read] ckquorum<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL FLUSHCONFIG" [Idempotent] flushconfig<R>() -> R by words;
    "SENTINEL FAILOVER" [NotIdempotent] failover<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL GET-MASTER-ADDR-BY-NAME" [Read] get_master_addr_by_name<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL INFO-CACHE" [Read] info_cache<R>() -> R by words;
    "SENTINEL MASTER" [Read] master<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL MASTERS" [Read] masters<R>() -> R by words;
    "SENTINEL MONITOR" [SameState] monitor<R, N>(name: N => Into<Str>, ip: IpAddr, port: u16, quorum: u32) -> R by words;
    "SENTINEL MYID" [Read] myid<R>() -> R by words;
    "SENTINEL PENDING-SCRIPTS" [Read] pending_scripts<R>() -> R by words;
    "SENTINEL REMOVE" [SameState] remove<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL REPLICAS" [Read] replicas<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL SENTINELS" [Read] sentinels<R, N>(name: N => Into<Str>) -> R by words;
    "SENTINEL SET" [Idempotent] set<R, N, V>(name: N => Into<Str>, args: V => TryInto<Map>) -> R by words;
    "SENTINEL SIMULATE-FAILURE" [NotIdempotent] simulate_failure<R>(kind: SentinelFailureKind) -> R by words;
    "SENTINEL RESET" [NotIdempotent] reset<R, P>(pattern: P => Into<Str>) -> R by words;
    "SENTINEL CONFIG GET" [Read] config_get<R, K>(name: K => Into<Str>) -> R by words;
    "SENTINEL CONFIG SET" [Idempotent] config_set<R, K, V>(name: K => Into<Str>, value: V => TryInto<Value>) -> R by words;
}

impl Words for SentinelFailureKind {
    fn after(self, words: Vec<Value>) -> Vec<Value> {
        let word = match self {
            Self::CrashAfterElection => "crash-after-election",
            Self::CrashAfterPromotion => "crash-after-promotion",
            Self::Help => "help",
        };
        Value::from(word).after(words)
    }
}
