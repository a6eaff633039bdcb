//! The [HyperLogLog](https://redis.io/commands#hyperloglog) commands.

use ::fred::{
    interfaces::HyperloglogInterface,
    types::{Key, MultipleKeys, MultipleValues},
};

use crate::fred::{
    Replay::{Idempotent, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { HyperloglogInterface;
    "PFADD" [SameState] pfadd<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
    "PFCOUNT" [Idempotent] pfcount<R, K>(keys: K => Into<MultipleKeys>) -> R;
    "PFMERGE" [Idempotent] pfmerge<R, D, S>(dest: D => Into<Key>, sources: S => Into<MultipleKeys>) -> R;
}
