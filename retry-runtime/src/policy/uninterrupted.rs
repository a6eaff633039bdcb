use super::{Decide, Decision, Guards, Limits, Policy, Timing};
use crate::{backoff::random::Random, failure::Failure};

/// The policy of a call that blocks its thread: nothing can abort an attempt, so its deadline only prevents retries.
///
/// The error type therefore need not implement `From<Aborted>`.
#[derive(Debug, Clone, Copy)]
pub struct Uninterrupted<P>(pub(crate) P);

impl<P: Policy> Policy for Uninterrupted<P> {
    type State = P::State;
    type Timing = <P::Timing as Timing>::Uninterrupted;

    pass_on_to!(0: limits -> Limits, guards -> Guards, budgets -> u32, attempts -> Option<u32>);

    fn into_guards(self) -> Guards {
        self.0.into_guards()
    }
}

impl<P: Decide<E, R>, E, R> Decide<E, R> for Uninterrupted<P> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        self.0.decide(failure, rule, state, random)
    }
}
