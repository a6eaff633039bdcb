use std::{marker::PhantomData, time::Duration};

use super::{Decision, Limits, NoRetry, limits::earlier};
use crate::failure::{Failure, GiveUpReason};

/// States at compile time what a call needs beside its policy: a clock, a timer, guards, or nothing.
///
/// A call without time limits reads no clock and carries no timer; one without guards carries none.
/// The timings are [`Untimed`], [`Measured`] and [`Timed`], and [`WithGuards`] around one of them.
/// A [`RetryPolicy`](crate::policy::RetryPolicy) without limits is `Untimed`, one with a deadline `Timed`.
pub trait Timing: sealed::Sealed + Copy {
    /// The timing of a composite of `Self` and `Other`: everything that either needs.
    type With<Other: Timing>: Timing;
    /// This timing, and a clock.
    type AndMeasured: Timing;
    /// This timing, and a timer.
    type AndTimed: Timing;
    /// This timing, and guards.
    type AndGuarded: Timing;

    /// This timing in a call whose attempts nothing can abort; guards can still refuse the first.
    type Uninterrupted: Timing;

    /// Returns the limits that the timing itself holds.
    #[doc(hidden)]
    #[inline]
    fn own_limits(self) -> Limits {
        Limits::NONE
    }
}

/// The timing of policies without time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Untimed;

/// The timing of policies that stop retrying after a time, and let every attempt finish.
///
/// The result of `retry_for`; works with every error type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Measured {
    retry_for: Duration,
}

/// The timing of policies that can abort a call: by a time limit, a circuit breaker, or a cancellation.
///
/// The result of `deadline` and `attempt_timeout`; the error type of the operation must implement
/// `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timed {
    limits: Limits,
}

/// The timing of a policy with [`Guards`](crate::policy::Guards), and otherwise `T`.
#[derive(Debug, Clone, Copy)]
pub struct WithGuards<T>(PhantomData<T>);

#[expect(clippy::unused_self, reason = "the timings share the names of their methods")]
impl Untimed {
    pub(crate) const fn retry_for(self, limit: Duration) -> Measured {
        Measured { retry_for: limit }
    }

    pub(crate) const fn deadline(self, deadline: Duration) -> Timed {
        Timed { limits: Limits { deadline: Some(deadline), ..Limits::NONE } }
    }

    pub(crate) const fn attempt_timeout(self, timeout: Duration) -> Timed {
        Timed { limits: Limits { attempt_timeout: Some(timeout), ..Limits::NONE } }
    }
}

#[expect(clippy::unused_self, reason = "the timings share the names of their methods")]
impl Measured {
    pub(crate) const fn retry_for(self, limit: Duration) -> Self {
        Self { retry_for: limit }
    }

    pub(crate) const fn deadline(self, deadline: Duration) -> Timed {
        Untimed.deadline(deadline).retry_for(self.retry_for)
    }

    pub(crate) const fn attempt_timeout(self, timeout: Duration) -> Timed {
        Untimed.attempt_timeout(timeout).retry_for(self.retry_for)
    }
}

impl Timed {
    pub(crate) const fn retry_for(mut self, limit: Duration) -> Self {
        self.limits.retry_for = Some(limit);
        self
    }

    pub(crate) const fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = Some(deadline);
        self
    }

    pub(crate) const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt_timeout = Some(timeout);
        self
    }
}

impl Timing for Untimed {
    type With<Other: Timing> = Other;
    type AndMeasured = Measured;
    type AndTimed = Timed;
    type AndGuarded = WithGuards<Self>;
    type Uninterrupted = Self;
}

impl Timing for Measured {
    type With<Other: Timing> = Other::AndMeasured;
    type AndMeasured = Self;
    type AndTimed = Timed;
    type AndGuarded = WithGuards<Self>;
    type Uninterrupted = Self;

    fn own_limits(self) -> Limits {
        Limits { retry_for: Some(self.retry_for), ..Limits::NONE }
    }
}

impl Timing for Timed {
    type With<Other: Timing> = Other::AndTimed;
    type AndMeasured = Self;
    type AndTimed = Self;
    type AndGuarded = WithGuards<Self>;
    type Uninterrupted = Measured;

    #[inline]
    fn own_limits(self) -> Limits {
        self.limits
    }
}

impl<T: Timing> Timing for WithGuards<T> {
    type With<Other: Timing> = <T::With<Other> as Timing>::AndGuarded;
    type AndMeasured = <T::AndMeasured as Timing>::AndGuarded;
    type AndTimed = <T::AndTimed as Timing>::AndGuarded;
    type AndGuarded = Self;
    type Uninterrupted = Self;
}

/// Ends a call whose next attempt would begin after a limit.
#[inline]
pub(super) fn limited<E>(decision: Decision, limits: Limits, failure: &Failure<'_, E>) -> Decision {
    let limit = earlier(limits.deadline, limits.retry_for);
    let (Decision::Retry(mut retry), Some(limit)) = (decision, limit) else { return decision };
    if failure.elapsed().saturating_add(retry.delay) >= limit {
        return Decision::GiveUp(NoRetry { reason: GiveUpReason::Deadline, info: retry.info });
    }
    retry.start_before = earlier(retry.start_before, Some(limit));
    Decision::Retry(retry)
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Untimed {}
    impl Sealed for super::Measured {}
    impl Sealed for super::Timed {}
    impl<T> Sealed for super::WithGuards<T> {}
}
