use std::{any::Any, fmt, marker::PhantomData, sync::Arc};

use super::{
    CallRule, Decide, Decision, Guards, Limits, Measured, Policy, Timed, Timing, Untimed,
    WithGuards,
};
use crate::{
    backoff::random::Random,
    failure::{Failure, aborted::Aborted, info::FailureInfo},
};

/// Any policy, chosen at run time: its type is erased, its limits and guards still apply.
///
/// Cloning shares the policy.
/// A call allocates its state at its first failure; one that succeeds at once allocates nothing.
///
/// The error type must implement `From<Aborted>`, whether the policy has a time limit or not; for other error types use
/// [`UntimedDynPolicy`].
///
/// ```
/// use retry_runtime::{DynPolicy, Never, RetryPolicy};
/// use std::{io, time::Duration};
///
/// fn policy(retries: u32, deadline: Option<Duration>) -> DynPolicy<io::Error> {
///     let policy = RetryPolicy::exponential().retries(retries);
///     match deadline {
///         _ if retries == 0 => DynPolicy::new(Never),
///         Some(deadline) => DynPolicy::new(policy.deadline(deadline)),
///         None => DynPolicy::new(policy),
///     }
/// }
/// # let _ = policy(3, None);
/// ```
pub struct DynPolicy<E, T = WithGuards<Timed>> {
    policy: Arc<dyn Erased<E>>,
    timing: PhantomData<fn() -> T>,
}

/// Any policy that never aborts a call, for error types without `From<Aborted>`; created by [`DynPolicy::untimed`].
///
/// ```
/// use retry_runtime::{DynPolicy, Never, RetryPolicy, policy::UntimedDynPolicy};
///
/// // `String` does not implement `From<Aborted>`.
/// fn policy(retries_enabled: bool) -> UntimedDynPolicy<String> {
///     if retries_enabled {
///         DynPolicy::untimed(RetryPolicy::exponential().on(|error: &String| error == "busy"))
///     } else {
///         DynPolicy::untimed(Never)
///     }
/// }
/// # let _ = policy(true);
/// ```
pub type UntimedDynPolicy<E> = DynPolicy<E, WithGuards<Measured>>;

impl<E> DynPolicy<E> {
    /// Erases the type of a policy.
    pub fn new<P>(policy: P) -> Self
    where
        E: From<Aborted>,
        P: Decide<E, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self { policy: Arc::new(policy), timing: PhantomData }
    }
}

impl<E, T> DynPolicy<E, T> {
    /// Erases the type of a policy, but not its timing: a call under a `DynPolicy<E, Untimed>` reads no clock and looks for
    /// no guards.
    ///
    /// [`new`](DynPolicy::new) takes any policy, and costs about 370 instructions more in each call.
    ///
    /// ```
    /// use retry_runtime::{DynPolicy, Never, RetryPolicy, policy::Untimed};
    /// use std::io;
    ///
    /// fn policy(retries_enabled: bool) -> DynPolicy<io::Error, Untimed> {
    ///     if retries_enabled {
    ///         DynPolicy::of_timing(RetryPolicy::exponential())
    ///     } else {
    ///         DynPolicy::of_timing(Never)
    ///     }
    /// }
    /// # let _ = policy(true);
    /// ```
    pub fn of_timing<P>(policy: P) -> Self
    where
        P: Decide<E, Answer> + Policy<Timing = T> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self { policy: Arc::new(policy), timing: PhantomData }
    }
}

impl<E> UntimedDynPolicy<E> {
    /// Erases the type of a policy that never aborts a call: one without `deadline`, `attempt_timeout`, breaker or
    /// cancellation token.
    pub fn untimed<P>(policy: P) -> Self
    where
        P: Decide<E, Answer> + Policy<Timing: WithoutAborts> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self { policy: Arc::new(policy), timing: PhantomData }
    }
}

/// The timing of a policy that aborts no call.
#[diagnostic::on_unimplemented(
    message = "this policy may abort a call, which errors without `From<Aborted>` cannot represent",
    label = "it has a `deadline`, an `attempt_timeout`, a breaker or a cancellation",
    note = "`retry_for` limits the time of the retries without aborting an attempt; where the error implements `From<Aborted>`, use `DynPolicy::new`"
)]
pub trait WithoutAborts {}

impl WithoutAborts for Untimed {}
impl WithoutAborts for Measured {}
impl<T: WithoutAborts> WithoutAborts for WithGuards<T> {}

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

impl<E, R: CallRule<E>, T: Timing> Decide<E, R> for DynPolicy<E, T> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut ErasedState,
        random: &mut Random,
    ) -> Decision {
        let answer = Answer { allowed: rule.allows(failure), info: rule.info(failure) };
        self.policy.decide_erased(failure, answer, state, random)
    }
}

/// The answer of a call's rule, for an erased policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    allowed: bool,
    info: FailureInfo,
}

impl<E> CallRule<E> for Answer {
    fn allows(&self, _: &Failure<'_, E>) -> bool {
        self.allowed
    }

    fn info(&self, _: &Failure<'_, E>) -> FailureInfo {
        self.info
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
            // The variable that holds the policy got another one during the call: start again with that.
            None => {
                let mut memory = P::State::default();
                let decision = self.decide(failure, &answer, &mut memory, random);
                state.0 = Some(Box::new(memory));
                decision
            }
        }
    }
}
