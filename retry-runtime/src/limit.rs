use std::time::Duration;

use crate::{Decide, Decision, Failure, Guards, Policy, Random, Reason, Stop};

/// A policy with a limit on time; made by the `deadline` and `attempt_timeout` methods of a policy.
///
/// The deadline limits the whole call from the start of its first attempt, waits, hooks and the running attempt
/// included: no attempt starts after it, no wait begins that would pass it, an attempt still running is cut.
/// The attempt timeout cuts one attempt, whose outcome is then [`Disposition::Unknown`](crate::Disposition::Unknown);
/// it does not apply to a `blocking` function, whose attempts nothing can cut.
///
/// A cut attempt has no error of its own, so the error type of the operation must implement `From<`[`Cut`](crate::Cut)`>`.
///
/// ```
/// use retry_runtime::{Cut, RetryPolicy};
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

    pub(crate) const fn policy(&self) -> &P {
        &self.policy
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
    type Timing = <P::Timing as Timing>::AndTimed;

    #[inline]
    fn limits(&self) -> Limits {
        let inner = self.policy.limits();
        Limits {
            deadline: shorter(self.limits.deadline, inner.deadline),
            attempt_timeout: shorter(self.limits.attempt_timeout, inner.attempt_timeout),
        }
    }

    fn guards(&self) -> Guards {
        self.policy.guards()
    }

    fn budgets(&self) -> u32 {
        self.policy.budgets()
    }

    fn attempts(&self) -> Option<u32> {
        self.policy.attempts()
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
            return Decision::Stop(Stop { reason: Reason::Deadline, advice: pause.advice });
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
#[inline]
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

/// Says at compile time what a call needs beside its policy: nothing, a timer, guards.
///
/// A call that cannot be limited reads no clock and carries no timer; one without guards carries none.
pub trait Timing: sealed::Sealed {
    /// The timing of a composite of `Self` and `Other`: all that either needs.
    type With<Other: Timing>: Timing;
    /// This timing, and a timer.
    type AndTimed: Timing;
    /// This timing, and guards.
    type AndGuarded: Timing;
}

/// The timing of policies without time limits.
#[derive(Debug, Clone, Copy)]
pub struct Untimed;

/// The timing of policies that may cut a call: by time limits, a circuit breaker, or a cancellation.
#[derive(Debug, Clone, Copy)]
pub struct Timed;

/// The timing of policies with [`Guards`](crate::Guards), and otherwise as `T`.
#[derive(Debug, Clone, Copy)]
pub struct WithGuards<T>(std::marker::PhantomData<T>);

impl Timing for Untimed {
    type With<Other: Timing> = Other;
    type AndTimed = Timed;
    type AndGuarded = WithGuards<Self>;
}

impl Timing for Timed {
    type With<Other: Timing> = Other::AndTimed;
    type AndTimed = Self;
    type AndGuarded = WithGuards<Self>;
}

impl<T: Timing> Timing for WithGuards<T>
where
    Self: sealed::Sealed,
    WithGuards<T::AndTimed>: sealed::Sealed,
{
    type With<Other: Timing> = <T::With<Other> as Timing>::AndGuarded;
    type AndTimed = <T::AndTimed as Timing>::AndGuarded;
    type AndGuarded = Self;
}

mod sealed {
    use crate::drive::Clocked;

    pub trait Sealed: Clocked {}
    impl<T: Clocked> Sealed for T {}
}
