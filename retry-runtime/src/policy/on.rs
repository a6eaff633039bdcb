use std::{any, fmt};

use super::{CallRule, Classified, Decide, Decision, Guards, Limits, NoRetry, Policy, rule::Named};
use crate::{
    backoff::random::Random,
    failure::{Failure, info::FailureInfo},
};

/// A policy of another type that retries the errors named by a [`Rule`](crate::policy::Rule), and only those.
///
/// A [`RetryPolicy`](crate::policy::RetryPolicy) holds its rule itself; `on` wraps every other policy in this type.
/// Inside a composite the rule applies to its member; around a composite it applies to the members without a rule of
/// their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct On<P, C> {
    pub(crate) policy: P,
    pub(crate) rule: C,
}

impl<P, M> On<P, Named<M>> {
    pub(crate) const fn new(policy: P, rule: M) -> Self {
        Self { policy, rule: Named(rule) }
    }

    /// Adds the error's own classification to the rule; see [`Classified`].
    pub fn classified(self) -> On<P, Named<Classified<M>>> {
        On::new(self.policy, Classified::new(self.rule.0))
    }
}

/// Prints the name of the rule's type, because functions and closures do not implement `Debug`.
impl<P: fmt::Debug, C> fmt::Debug for On<P, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = format_args!("{}", any::type_name::<C>());
        formatter.debug_struct("On").field("policy", &self.policy).field("rule", &rule).finish()
    }
}

impl<P: Policy, C> Policy for On<P, C> {
    type State = P::State;
    type Timing = P::Timing;

    pass_on_to!(policy: limits -> Limits, guards -> Guards, budgets -> u32, attempts -> Option<u32>);
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
            // A policy that never retries does not ask the rule, but guards and telemetry need its info.
            Decision::GiveUp(end) if end.info == FailureInfo::NONE => {
                Decision::GiveUp(NoRetry { info: self.rule.info(failure), ..end })
            }
            decision => decision,
        }
    }
}
