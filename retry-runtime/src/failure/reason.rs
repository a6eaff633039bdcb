use std::fmt;

/// Why a call ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The policy does not retry this error.
    NotRetryable,
    /// The attempt may have taken effect, and the operation is not declared idempotent.
    NotIdempotent,
    /// All retries have been made.
    RetriesExhausted,
    /// The server asks to be left alone for longer than the policy allows.
    RetryAfter,
    /// The deadline of the call has passed, or would pass during the next wait; or it has failed for as long as
    /// [`Guarded::give_up_after`](crate::policy::Guarded::give_up_after) allows.
    Deadline,
    /// The attempt took longer than the attempt timeout, and the policy does not retry that.
    AttemptTimeout,
    /// The retry budget is empty.
    Budget,
    /// The circuit breaker is open.
    BreakerOpen,
    /// The call was cancelled.
    Cancelled,
    /// Another call, inside or around this one, does the retrying.
    Nested,
    /// A hook failed.
    HookFailed,
    /// An attempt panicked; no hook sees it.
    Panicked,
}

/// Prints the reason as telemetry spells it, such as `retries_exhausted`.
impl fmt::Display for GiveUpReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl GiveUpReason {
    /// Returns the reason as telemetry spells it, such as `retries_exhausted`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::RetriesExhausted => "retries_exhausted",
            Self::RetryAfter => "retry_after",
            Self::Deadline => "deadline",
            Self::NotIdempotent => "not_idempotent",
            Self::AttemptTimeout => "attempt_timeout",
            Self::Budget => "budget",
            Self::BreakerOpen => "breaker_open",
            Self::Cancelled => "cancelled",
            Self::Nested => "nested",
            Self::HookFailed => "hook_failed",
            Self::Panicked => "panicked",
        }
    }
}
