use super::{Decide, Decision, Guards, Limits, Measured, Policy, Timed, Timing, timing::limited};
use crate::{backoff::random::Random, failure::Failure};

/// A policy of another type with time limits.
///
/// A [`RetryPolicy`](crate::policy::RetryPolicy) holds its limits itself; `deadline`, `attempt_timeout` and `retry_for`
/// wrap every other policy in this type, such as a [`Composite`](crate::policy::Composite) or a policy of your own.
///
/// ```
/// use retry_runtime::{Composite, RetryPolicy};
/// use std::time::Duration;
///
/// const SECOND: Duration = Duration::from_secs(1);
/// // Each member has its own retries; together they have ten seconds.
/// let policy = Composite::new(RetryPolicy::exponential(), RetryPolicy::constant(SECOND)).deadline(10 * SECOND);
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limited<P, T = Timed> {
    pub(crate) policy: P,
    pub(crate) timing: T,
}

impl<P: Policy, T: Limiting> Policy for Limited<P, T> {
    type State = P::State;
    type Timing = T::Over<P::Timing>;

    #[inline]
    fn limits(&self) -> Limits {
        self.policy.limits().shortest(self.timing.own_limits())
    }

    pass_on_to!(policy: guards -> Guards, budgets -> u32, attempts -> Option<u32>);
}

impl<P: Decide<E, R>, T: Limiting, E, R> Decide<E, R> for Limited<P, T> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        let decision = self.policy.decide(failure, rule, state, random);
        limited(decision, self.timing.own_limits(), failure)
    }
}

/// A timing that limits the policy inside it.
pub trait Limiting: Timing {
    /// The timing of that policy under this limit.
    type Over<T: Timing>: Timing;
}

impl Limiting for Measured {
    type Over<T: Timing> = T::AndMeasured;
}

impl Limiting for Timed {
    type Over<T: Timing> = T::AndTimed;
}
