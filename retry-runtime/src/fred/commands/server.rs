//! The commands that every client has.

use ::fred::{interfaces::ClientLike, types::InfoKind};

use crate::fred::{
    Replay::{Idempotent, Read},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { ClientLike;
    "FLUSHALL" [Idempotent] flushall<R>(r#async: bool) -> R;
    "FLUSHALL" [Idempotent] flushall_cluster<>();
    "PING" [Read] ping<R>(message: Option<String>) -> R;
    "INFO" [Read] info<R>(section: Option<InfoKind>) -> R;
}
