//! The commands of the [configuration](https://redis.io/commands#server).

use ::fred::{bytes_utils::Str, interfaces::ConfigInterface, types::Value};

use crate::fred::{
    Replay::{Idempotent, Read},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { ConfigInterface + NotSentinel;
    "CONFIG RESETSTAT" [Idempotent] config_resetstat<>();
    "CONFIG REWRITE" [Idempotent] config_rewrite<>();
    "CONFIG GET" [Read] config_get<R, S>(parameter: S => Into<Str>) -> R;
    "CONFIG SET" [Idempotent] config_set<P, V>(parameter: P => Into<Str>, value: V => TryInto<Value>);
}
