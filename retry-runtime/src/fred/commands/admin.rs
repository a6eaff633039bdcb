//! The commands of the [server](https://redis.io/commands#server).

use ::fred::{interfaces::ServerInterface, types::Value};

use crate::fred::{
    Replay::{NotIdempotent, Read},
    commands::{Wait, commands},
};

#[rustfmt::skip] // One line per command.
commands! { ServerInterface + NotSentinel;
    "BGREWRITEAOF" [NotIdempotent] bgrewriteaof<R>() -> R;
    "BGSAVE" [NotIdempotent] bgsave<R>() -> R;
    "DBSIZE" [Read] dbsize<R>() -> R;
    "SELECT" [NotIdempotent] select<I>(index: I => TryInto<Value>);
    "FAILOVER" [NotIdempotent] failover<>(to: Option<(String, u16)>, force: bool, abort: bool, timeout: Option<u32>);
    "LASTSAVE" [Read] lastsave<R>() -> R;
    "WAIT" [NotIdempotent] [Wait::block(u64::try_from(timeout).ok())] wait<R>(numreplicas: i64, timeout: i64) -> R;
}
