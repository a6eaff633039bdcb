use std::time::Duration;

use super::{Decide, Decision, Guards, Limits, NoRetry, Policy, RetryDelay, Timing, limits::later};
use crate::{
    backoff::random::Random,
    failure::{Failure, GiveUpReason, info::FailureInfo},
};

/// Retries different errors with different policies.
///
/// Every member that matches a failure counts it.
/// The call goes on while any matching member has retries left, and waits for the longest of their delays.
/// Members can be composites, too.
/// A budget of a member pays for the retries that this member asks for; see [`Guarded`](crate::policy::Guarded).
/// The deadline of each member runs from the start of the call; an attempt is aborted only at the longest limit, and only
/// if all members have one.
///
/// ```
/// use retry_runtime::{Composite, RetryPolicy};
/// use std::{io, time::Duration};
///
/// fn is_refused(error: &io::Error) -> bool {
///     error.kind() == io::ErrorKind::ConnectionRefused
/// }
///
/// // Anything twice; a server that is restarting five times, with growing waits.
/// let policy = Composite::new(
///     RetryPolicy::constant(Duration::from_secs(1)).retries(2).on(|_: &io::Error| true),
///     RetryPolicy::exponential().retries(5).on(is_refused as fn(&io::Error) -> bool),
/// );
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Composite<A, B> {
    left: A,
    right: B,
}

impl<A, B> Composite<A, B> {
    /// Combines two policies; add more with `or`, or with a composite as a member.
    pub const fn new(left: A, right: B) -> Self {
        Self { left, right }
    }
}

impl<A: Policy, B: Policy> Policy for Composite<A, B> {
    type State = (A::State, B::State);
    type Timing = <A::Timing as Timing>::With<B::Timing>;

    fn limits(&self) -> Limits {
        self.left.limits().longest(self.right.limits())
    }

    fn guards(&self) -> Guards {
        self.left.guards().and(self.right.guards())
    }

    fn budgets(&self) -> u32 {
        self.left.budgets() + self.right.budgets()
    }

    fn attempts(&self) -> Option<u32> {
        // The two can alternate: they share the first attempt, and their retries add up.
        self.left.attempts()?.checked_add(self.right.attempts()?.saturating_sub(1))
    }
}

impl<A, B, E, R> Decide<E, R> for Composite<A, B>
where
    A: Decide<E, R>,
    B: Decide<E, R>,
{
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut Self::State,
        random: &mut Random,
    ) -> Decision {
        let left = self.left.decide(failure, rule, &mut state.0, random);
        let right = self.right.decide(failure, rule, &mut state.1, random);
        match (left, right) {
            (Decision::Retry(left), Decision::Retry(right)) => {
                Decision::Retry(join(left, right, self.left.budgets()))
            }
            (Decision::Retry(mut retry), Decision::GiveUp(_)) => {
                retry.info.spared |= behind(self.left.budgets(), all(self.right.budgets()));
                Decision::Retry(retry)
            }
            (Decision::GiveUp(_), Decision::Retry(mut retry)) => {
                let left = self.left.budgets();
                retry.info.spared = all(left) | behind(left, retry.info.spared);
                Decision::Retry(retry)
            }
            (Decision::GiveUp(left), Decision::GiveUp(right)) => {
                Decision::GiveUp(most_telling(left, right))
            }
        }
    }
}

/// Joins the delays of two matching members: the longer delay, and the later of their limits; `budgets` are those of
/// the left member.
#[inline]
fn join(left: RetryDelay, right: RetryDelay, budgets: u32) -> RetryDelay {
    let delay: Duration = left.delay.max(right.delay);
    RetryDelay {
        delay,
        start_before: later(left.start_before, right.start_before),
        info: FailureInfo {
            spared: left.info.spared | behind(budgets, right.info.spared),
            ..left.info.join(right.info)
        },
    }
}

/// Moves the marks of budgets behind those of `others` more; a budget beyond the last bit pays.
fn behind(others: u32, spared: u32) -> u32 {
    spared.checked_shl(others).unwrap_or(0)
}

/// Marks the first `budgets` budgets.
fn all(budgets: u32) -> u32 {
    1_u32.checked_shl(budgets).map_or(u32::MAX, |end| end - 1)
}

/// Returns the answer of the member that came closest to a retry.
fn most_telling(left: NoRetry, right: NoRetry) -> NoRetry {
    let closeness = |end: &NoRetry| match end.reason {
        GiveUpReason::NotRetryable => 0,
        GiveUpReason::NotIdempotent => 1,
        GiveUpReason::RetriesExhausted => 2,
        _ => 3,
    };
    if closeness(&right) > closeness(&left) { right } else { left }
}
