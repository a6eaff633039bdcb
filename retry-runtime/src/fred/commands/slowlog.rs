//! The commands of the [slow log](https://redis.io/commands#server).

use ::fred::interfaces::SlowlogInterface;

use crate::fred::{
    Replay::{Idempotent, Read},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { SlowlogInterface;
    "SLOWLOG GET" [Read] slowlog_get<R>(count: Option<i64>) -> R;
    "SLOWLOG LEN" [Read] slowlog_length<R>() -> R;
    "SLOWLOG RESET" [Idempotent] slowlog_reset<>();
}
