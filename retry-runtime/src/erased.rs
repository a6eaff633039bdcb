use std::{any::Any, fmt, marker::PhantomData, sync::Arc};

use crate::{
    Advice, Decide, Decision, Failure, Guards, Limits, Policy, Random, Rule, Timing, Untimed,
};

/// A policy chosen at run time, with its type erased.
///
/// Cloning shares the policy.
/// The memory of a call is allocated at its first failure; a call that succeeds at once allocates nothing.
/// Policies with time limits are erased to `DynPolicy<E, Timed>`, since the error type must be able to represent one.
///
/// ```
/// use retry_runtime::{DynPolicy, Never, RetryPolicy};
/// use std::io;
///
/// fn policy(retries_enabled: bool) -> DynPolicy<io::Error> {
///     if retries_enabled { DynPolicy::new(RetryPolicy::exponential()) } else { DynPolicy::new(Never) }
/// }
/// # let _ = policy(true);
/// ```
pub struct DynPolicy<E, T = Untimed> {
    policy: Arc<dyn Erased<E>>,
    timing: PhantomData<fn() -> T>,
}

impl<E, T> DynPolicy<E, T> {
    /// Erases the type of a policy.
    pub fn new<P>(policy: P) -> Self
    where
        P: Decide<E, Answer> + Policy<Timing = T> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self { policy: Arc::new(policy), timing: PhantomData }
    }
}

#[cfg(feature = "fred")]
impl<E> DynPolicy<E, crate::WithGuards<crate::Timed>> {
    /// Erases the type of a policy, with time limits and guards or without.
    pub(crate) fn with_any_timing<P>(policy: P) -> Self
    where
        P: Decide<E, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self { policy: Arc::new(policy), timing: PhantomData }
    }
}

impl<E, T> Clone for DynPolicy<E, T> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), timing: PhantomData }
    }
}

impl<E, T> fmt::Debug for DynPolicy<E, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(formatter)
    }
}

impl<E, T: Timing> Policy for DynPolicy<E, T> {
    type State = ErasedState;
    type Timing = T;

    fn limits(&self) -> Limits {
        self.policy.limits_erased()
    }

    fn guards(&self) -> Guards {
        self.policy.guards_erased()
    }

    fn attempts(&self) -> Option<u32> {
        self.policy.attempts_erased()
    }
}

impl<E, R: Rule<E>, T: Timing> Decide<E, R> for DynPolicy<E, T> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut ErasedState,
        random: &mut Random,
    ) -> Decision {
        let answer = Answer { allowed: rule.allows(failure), advice: rule.advice(failure) };
        self.policy.decide_erased(failure, answer, state, random)
    }
}

/// The answer of a call's rule, passed on to an erased policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    allowed: bool,
    advice: Advice,
}

impl<E> Rule<E> for Answer {
    fn allows(&self, _: &Failure<'_, E>) -> bool {
        self.allowed
    }

    fn advice(&self, _: &Failure<'_, E>) -> Advice {
        self.advice
    }
}

/// What one call remembers about a [`DynPolicy`].
#[derive(Default)]
pub struct ErasedState(Option<Box<dyn Any + Send + Sync>>);

impl fmt::Debug for ErasedState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ErasedState(..)")
    }
}

trait Erased<E>: fmt::Debug + Send + Sync {
    fn limits_erased(&self) -> Limits;
    fn guards_erased(&self) -> Guards;
    fn attempts_erased(&self) -> Option<u32>;
    fn decide_erased(
        &self,
        failure: &Failure<'_, E>,
        answer: Answer,
        state: &mut ErasedState,
        random: &mut Random,
    ) -> Decision;
}

impl<E, P> Erased<E> for P
where
    P: Decide<E, Answer> + fmt::Debug + Send + Sync,
    P::State: Send + Sync + 'static,
{
    fn limits_erased(&self) -> Limits {
        self.limits()
    }

    fn guards_erased(&self) -> Guards {
        self.guards()
    }

    fn attempts_erased(&self) -> Option<u32> {
        self.attempts()
    }

    fn decide_erased(
        &self,
        failure: &Failure<'_, E>,
        answer: Answer,
        state: &mut ErasedState,
        random: &mut Random,
    ) -> Decision {
        let memory = state.0.get_or_insert_with(|| Box::new(P::State::default()));
        match memory.downcast_mut::<P::State>() {
            Some(memory) => self.decide(failure, &answer, memory, random),
            // The place that holds the policy was given another policy during the call: start anew with that one.
            None => {
                let mut memory = P::State::default();
                let decision = self.decide(failure, &answer, &mut memory, random);
                state.0 = Some(Box::new(memory));
                decision
            }
        }
    }
}
