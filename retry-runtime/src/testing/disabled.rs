//! Without the feature `testing`: no overrides and no recordings.

use std::time::Duration;

use crate::{
    backoff::random::Random,
    failure::GiveUpReason,
    policy::{NoRetry, RetryDelay},
};

#[inline]
pub(crate) fn with_random<T>(draw: impl FnOnce(&mut Random) -> T) -> T {
    Random::with_thread_local(draw)
}

#[inline]
#[expect(clippy::unnecessary_wraps, reason = "the feature `testing` refuses")]
pub(crate) fn limit(_: u32, _: &mut RetryDelay) -> Result<(), NoRetry> {
    Ok(())
}

/// The identity of a call in a recording.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record;

impl Record {
    pub(crate) fn new() -> Self {
        Self
    }
}

#[inline]
pub(crate) fn retried(_: Record, _: &'static str, _: u32, _: Duration) {}

#[inline]
pub(crate) fn ended(_: Record, _: &'static str, _: u32, _: Option<GiveUpReason>) {}
