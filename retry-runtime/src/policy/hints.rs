use std::time::Duration;

use super::{Decision, NoRetry, RetryDelay};
use crate::failure::{GiveUpReason, info::FailureInfo};

/// How a policy answers a server that asks for a longer delay than the policy's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Hints {
    // How much longer: whole milliseconds are enough, and half of a `Duration`.
    pub(super) longest: u64,
    pub(super) beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Beyond {
    GiveUp,
    Cap,
}

impl Hints {
    /// As in the AWS SDKs of 2026.
    pub(super) const DEFAULT: Self = Self { longest: 5_000, beyond: Beyond::GiveUp };

    #[cold]
    pub(super) fn decide(self, delay: Duration, asked: Duration, info: FailureInfo) -> Decision {
        let longest = delay.saturating_add(Duration::from_millis(self.longest));
        match self.beyond {
            Beyond::GiveUp if asked > longest => {
                Decision::GiveUp(NoRetry { reason: GiveUpReason::RetryAfter, info })
            }
            _ => {
                let delay = asked.min(longest).max(delay);
                Decision::Retry(RetryDelay { delay, start_before: None, info })
            }
        }
    }
}
