use std::time::Duration;

/// The time limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Limits {
    /// The limit on the whole call, from the start of its first attempt.
    pub deadline: Option<Duration>,
    /// The limit on each attempt.
    pub attempt_timeout: Option<Duration>,
    /// The time since the start of the call after which no retry begins.
    ///
    /// The policy enforces it in its [`Decision`](crate::policy::Decision); it stands here for information.
    pub retry_for: Option<Duration>,
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self = Self { deadline: None, attempt_timeout: None, retry_for: None };

    /// Returns the limits of a composite: a call goes on as long as the limits of one member allow it.
    pub(super) fn longest(self, other: Self) -> Self {
        Self {
            deadline: later(self.deadline, other.deadline),
            attempt_timeout: later(self.attempt_timeout, other.attempt_timeout),
            retry_for: later(self.retry_for, other.retry_for),
        }
    }

    /// Returns the limits of a policy inside another that also has limits.
    #[inline]
    pub(super) fn shortest(self, other: Self) -> Self {
        Self {
            deadline: earlier(self.deadline, other.deadline),
            attempt_timeout: earlier(self.attempt_timeout, other.attempt_timeout),
            retry_for: earlier(self.retry_for, other.retry_for),
        }
    }
}

/// Returns the shorter of two limits, where `None` is no limit.
#[inline]
pub(super) fn earlier(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (limit, None) | (None, limit) => limit,
    }
}

/// Returns the longer of two limits, where `None` is no limit.
pub(super) fn later(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    Some(left?.max(right?))
}
