use std::{any, fmt};

use super::{CallRule, Classified, Decide, Decision, Guards, Limits, NoRetry, Policy, rule::Named};
use crate::{
    backoff::random::Random,
    failure::{Failure, info::FailureInfo},
};

/// A policy of another type that retries the errors named by a [`Rule`](crate::policy::Rule), and only them.
///
/// A [`RetryPolicy`](crate::policy::RetryPolicy) keeps its rule itself; this is what `on` makes of the others.
/// Inside a composite it speaks for its member; around a composite it speaks for the members that name no errors
/// of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct On<P, C> {
    pub(crate) policy: P,
    pub(crate) rule: C,
}

impl<P, M> On<P, Named<M>> {
    pub(crate) const fn new(policy: P, rule: M) -> Self {
        Self { policy, rule: Named(rule) }
    }

    /// Adds to the rule what the error says of itself; see [`Classified`].
    pub fn classified(self) -> On<P, Named<Classified<M>>> {
        On::new(self.policy, Classified::new(self.rule.0))
    }
}

/// Prints the rule by the name of its type, since functions and closures print nothing themselves.
impl<P: fmt::Debug, C> fmt::Debug for On<P, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = format_args!("{}", any::type_name::<C>());
        formatter.debug_struct("On").field("policy", &self.policy).field("rule", &rule).finish()
    }
}

impl<P: Policy, C> Policy for On<P, C> {
    type State = P::State;
    type Timing = P::Timing;

    fn limits(&self) -> Limits {
        self.policy.limits()
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

impl<P, C, E, R> Decide<E, R> for On<P, C>
where
    P: Decide<E, C>,
    C: CallRule<E>,
{
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        _: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        match self.policy.decide(failure, &self.rule, state, random) {
            // A policy that never retries does not ask; guards and telemetry want to know all the same.
            Decision::GiveUp(stop) if stop.info == FailureInfo::NONE => {
                Decision::GiveUp(NoRetry { info: self.rule.info(failure), ..stop })
            }
            decision => decision,
        }
    }
}
