use std::{fmt, io, time::Duration};

use crate::{Decide, Decision, Failure, Policy, Random, Reason};

/// A policy with a limit on time; made by the `deadline` and `attempt_timeout` methods of a policy.
///
/// The deadline limits the whole call from the start of its first attempt, waits, hooks and the running attempt
/// included: no attempt starts after it, no wait begins that would pass it, an attempt still running is cut.
/// The attempt timeout cuts one attempt, whose outcome is then [`Disposition::Unknown`](crate::Disposition::Unknown).
///
/// A cut attempt has no error of its own, so the error type of the operation must implement `From<`[`TimeLimit`]`>`.
///
/// ```
/// use retry_runtime::{RetryPolicy, TimeLimit};
/// use std::{io, time::Duration};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
/// let policy = RetryPolicy::exponential().retries(5).deadline(Duration::from_secs(1));
/// let error: io::Error = policy.retry(std::future::pending::<io::Result<()>>).await.unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
/// # });
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limited<P> {
    policy: P,
    limits: Limits,
}

impl<P> Limited<P> {
    pub(crate) const fn new(policy: P, limits: Limits) -> Self {
        Self { policy, limits }
    }

    /// Sets the limit on the whole call; zero cuts the first attempt before it begins.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = Some(deadline);
        self
    }

    /// Sets the limit on one attempt; zero cuts every attempt that is not ready at once.
    pub const fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.limits.attempt_timeout = Some(attempt_timeout);
        self
    }
}

impl<P: Policy> Policy for Limited<P> {
    type State = P::State;
    type Timing = Timed;

    fn limits(&self) -> Limits {
        let inner = self.policy.limits();
        Limits {
            deadline: shorter(self.limits.deadline, inner.deadline),
            attempt_timeout: shorter(self.limits.attempt_timeout, inner.attempt_timeout),
        }
    }
}

impl<P: Decide<E, R>, E, R> Decide<E, R> for Limited<P> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        let decision = self.policy.decide(failure, rule, state, random);
        let (Decision::Retry(mut pause), Some(deadline)) = (decision, self.limits.deadline) else {
            return decision;
        };
        if failure.elapsed().saturating_add(pause.delay) >= deadline {
            return Decision::Stop(Reason::Deadline);
        }
        pause.start_before = shorter(pause.start_before, Some(deadline));
        Decision::Retry(pause)
    }
}

/// The time limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Limits {
    /// The limit on the whole call, from the start of its first attempt.
    pub deadline: Option<Duration>,
    /// The limit on each attempt.
    pub attempt_timeout: Option<Duration>,
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self = Self { deadline: None, attempt_timeout: None };

    /// Returns the limits of a composite: a call may go on while any member may.
    pub(crate) fn longest(self, other: Self) -> Self {
        Self {
            deadline: longer(self.deadline, other.deadline),
            attempt_timeout: longer(self.attempt_timeout, other.attempt_timeout),
        }
    }
}

/// Returns the shorter of two limits, where `None` is no limit.
pub(crate) fn shorter(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (limit, None) | (None, limit) => limit,
    }
}

/// Returns the longer of two limits, where `None` is no limit.
pub(crate) fn longer(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    Some(left?.max(right?))
}

/// The time limit that cut an attempt.
///
/// An error type that can stand for it implements `From<TimeLimit>`; the errors of `std::io` and fred do.
///
/// ```
/// use retry_runtime::TimeLimit;
///
/// #[derive(Debug)]
/// enum LookupError {
///     TooSlow(TimeLimit),
///     // …
/// }
///
/// impl From<TimeLimit> for LookupError {
///     fn from(limit: TimeLimit) -> Self {
///         Self::TooSlow(limit)
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeLimit {
    /// The deadline of the whole call.
    Deadline(Duration),
    /// The timeout of one attempt.
    AttemptTimeout(Duration),
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(limit) => {
                write!(formatter, "the call did not finish before its deadline of {limit:?}")
            }
            Self::AttemptTimeout(limit) => {
                write!(formatter, "the attempt did not finish within {limit:?}")
            }
        }
    }
}

impl std::error::Error for TimeLimit {}

impl From<TimeLimit> for io::Error {
    fn from(limit: TimeLimit) -> Self {
        Self::new(io::ErrorKind::TimedOut, limit)
    }
}

/// Says at compile time whether a policy can limit time: [`Untimed`] or [`Timed`].
///
/// A call that cannot be limited reads no clock and carries no timer.
pub trait Timing: sealed::Sealed {
    /// The timing of a composite of `Self` and `Other`: untimed only if both are.
    type With<Other: Timing>: Timing;
}

/// The timing of policies without time limits.
#[derive(Debug, Clone, Copy)]
pub struct Untimed;

/// The timing of policies that may limit time.
#[derive(Debug, Clone, Copy)]
pub struct Timed;

impl Timing for Untimed {
    type With<Other: Timing> = Other;
}

impl Timing for Timed {
    type With<Other: Timing> = Timed;
}

mod sealed {
    use crate::drive::Clocked;

    pub trait Sealed: Clocked {}
    impl Sealed for super::Untimed {}
    impl Sealed for super::Timed {}
}
