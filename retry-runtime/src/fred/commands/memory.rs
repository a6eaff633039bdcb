//! The commands about [memory](https://redis.io/commands#server).

use ::fred::{interfaces::MemoryInterface, types::Key};

use crate::fred::{
    Replay::{Idempotent, Read},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { MemoryInterface;
    "MEMORY DOCTOR" [Read] memory_doctor<R>() -> R;
    "MEMORY MALLOC-STATS" [Read] memory_malloc_stats<R>() -> R;
    "MEMORY PURGE" [Idempotent] memory_purge<>();
    "MEMORY STATS" [Read] memory_stats<R>() -> R;
    "MEMORY USAGE" [Read] memory_usage<R, K>(key: K => Into<Key>, samples: Option<u32>) -> R;
}
