//! The [publish/subscribe](https://redis.io/commands#pubsub) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::PubsubInterface,
    types::{MultipleStrings, Value},
};

use crate::fred::{
    Replay::{Idempotent, NotIdempotent, Read},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { PubsubInterface;
    "SUBSCRIBE" [Idempotent] subscribe<S>(channels: S => Into<MultipleStrings>);
    "UNSUBSCRIBE" [Idempotent] unsubscribe<S>(channels: S => Into<MultipleStrings>);
    "PSUBSCRIBE" [Idempotent] psubscribe<S>(patterns: S => Into<MultipleStrings>);
    "PUNSUBSCRIBE" [Idempotent] punsubscribe<S>(patterns: S => Into<MultipleStrings>);
    "PUBLISH" [NotIdempotent] publish<R, S, V>(channel: S => Into<Str>, message: V => TryInto<Value>) -> R;
    "SSUBSCRIBE" [Idempotent] ssubscribe<C>(channels: C => Into<MultipleStrings>);
    "SUNSUBSCRIBE" [Idempotent] sunsubscribe<C>(channels: C => Into<MultipleStrings>);
    "SPUBLISH" [NotIdempotent] spublish<R, S, V>(channel: S => Into<Str>, message: V => TryInto<Value>) -> R;
    "PUBSUB CHANNELS" [Read] pubsub_channels<R, S>(pattern: S => Into<Str>) -> R;
    "PUBSUB NUMPAT" [Read] pubsub_numpat<R>() -> R;
    "PUBSUB NUMSUB" [Read] pubsub_numsub<R, S>(channels: S => Into<MultipleStrings>) -> R;
    "PUBSUB SHARDCHANNELS" [Read] pubsub_shardchannels<R, S>(pattern: S => Into<Str>) -> R;
    "PUBSUB SHARDNUMSUB" [Read] pubsub_shardnumsub<R, S>(channels: S => Into<MultipleStrings>) -> R;
}
