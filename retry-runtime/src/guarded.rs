use std::{fmt, marker::PhantomData, time::Duration};

use crate::{
    Budget, CircuitBreaker, Decide, Decision, Failure, Limits, Policy, Random, Timing, drive::Token,
};

/// A policy with something that watches over its calls; made by the methods `budget`, `breaker`, `cancel`, `nested` and
/// `reset_after` of a policy.
///
/// The order is fixed, whatever the order of the methods; `Debug` prints it:
///
/// 1. A call that is **cancelled**, or that the **breaker** rejects, does not begin.
/// 2. After a failure the policy decides, then the deadline, then what holds for **nested** calls; for the policy a call
///    whose attempt ran for `reset_after` counts anew.
/// 3. The attempt is reported to the breaker, with what is known of the error.
/// 4. A cancelled call ends; one whose breaker is open ends.
/// 5. The **budget** pays for the retry, before the wait.
/// 6. After the wait the deadline and the cancellation are looked at again, then the breaker admits the retry, or the
///    call ends and the budget gets its tokens back.
///
/// Once an attempt has failed the caller gets its error, whatever ends the call.
/// A call that ends before has none: the error type of the operation must implement `From<`[`Cut`](crate::Cut)`>` if
/// there is a breaker or a cancellation.
///
/// ```
/// use retry_runtime::{Budget, RetryPolicy};
/// use std::{io, sync::LazyLock, time::Duration};
///
/// // All calls to one server share it: when most of them fail, their retries stop.
/// static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::new);
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let policy = RetryPolicy::constant(Duration::ZERO).retries(100).budget(&BUDGET);
/// let refused = async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert!(policy.retry(refused).await.is_err());
/// assert_eq!(BUDGET.statistics().withdrawn, 35); // and not a hundred
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub struct Guarded<P, K = NeverCuts> {
    policy: P,
    guards: Guards,
    kind: PhantomData<fn() -> K>,
}

/// Marks a [`Guarded`] policy that only ends calls which have failed.
#[derive(Debug, Clone, Copy)]
pub struct NeverCuts;

/// Marks a [`Guarded`] policy that can end a call before its first attempt.
#[derive(Debug, Clone, Copy)]
pub struct MayCut;

/// What watches over a call, beside its policy.
#[derive(Clone, Default)]
pub struct Guards {
    pub(crate) cancel: Option<Token>,
    pub(crate) breaker: Option<CircuitBreaker>,
    pub(crate) reset_after: Option<Duration>,
    pub(crate) nested: Nested,
    pub(crate) budget: Option<Budget>,
}

/// Which of two retrying calls, one running inside the other, retries.
///
/// Three retries inside three make sixteen attempts, and a stack of five such layers a thousand.
///
/// ```
/// use retry_runtime::{Nested, RetryPolicy};
///
/// // This call retries as a whole; what it calls does not.
/// let policy = RetryPolicy::exponential().nested(Nested::OuterOnly);
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Nested {
    /// Both; a retry inside a retry is told in an event, with the number of attempts that they may make together.
    #[default]
    Allow,
    /// The calls inside: a failure that they have retried is not retried here.
    InnerOnly,
    /// This call: the calls inside it are not retried.
    OuterOnly,
}

impl<P, K> Guarded<P, K> {
    pub(crate) fn new(policy: P) -> Self {
        Self { policy, guards: Guards::default(), kind: PhantomData }
    }

    fn with<L>(self, change: impl FnOnce(&mut Guards)) -> Guarded<P, L> {
        let Self { policy, mut guards, .. } = self;
        change(&mut guards);
        Guarded { policy, guards, kind: PhantomData }
    }

    /// Takes every retry from a budget; see [`Budget`].
    ///
    /// What a retry costs, and how long the server wants to be left alone, is said by the
    /// [`Classify`](crate::Classify) of the error, or by a [`Rule`](crate::Rule) with advice of its own.
    /// A closure or a function of `on` only says yes or no: then every retry costs as a transient failure, and the wait
    /// is the policy's, whatever the error says.
    pub fn budget(self, budget: &Budget) -> Self {
        self.with(|guards| guards.budget = Some(budget.clone()))
    }

    /// Makes no attempt while a circuit breaker is open; see [`CircuitBreaker`].
    ///
    /// Which failures count is the breaker's own matter, whatever `on` names; see
    /// [`CircuitBreakerBuilder::counts`](crate::CircuitBreakerBuilder::counts).
    pub fn breaker(self, breaker: &CircuitBreaker) -> Guarded<P, MayCut> {
        self.with(|guards| guards.breaker = Some(breaker.clone()))
    }

    /// Ends the call when a token of `tokio_util` is cancelled: waits end at once, no attempt begins.
    ///
    /// An attempt that runs is not cut: its outcome is the caller's.
    #[cfg(feature = "cancel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
    pub fn cancel(self, token: &tokio_util::sync::CancellationToken) -> Guarded<P, MayCut> {
        self.with(|guards| guards.cancel = Some(Token::new(token.clone())))
    }

    /// Says which of two calls retries, this one or one inside it.
    pub fn nested(self, nested: Nested) -> Self {
        self.with(|guards| guards.nested = nested)
    }

    /// Counts retries and delays anew after an attempt that ran so long: for bodies that run for days, such as a
    /// subscriber, where the third failure of a lifetime must not end it.
    ///
    /// Zero counts anew after every attempt, so that only a deadline ends the call.
    pub fn reset_after(self, healthy: Duration) -> Self {
        self.with(|guards| guards.reset_after = Some(healthy))
    }
}

impl Guards {
    /// Tells whether nothing watches.
    #[cfg(feature = "fred")]
    pub(crate) fn is_empty(&self) -> bool {
        let Self { cancel, breaker, reset_after, nested, budget } = self;
        cancel.is_none()
            && breaker.is_none()
            && reset_after.is_none()
            && budget.is_none()
            && *nested == Nested::Allow
    }

    /// Returns these guards, and those of `other` where there are none.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            cancel: self.cancel.or(other.cancel),
            breaker: self.breaker.or(other.breaker),
            reset_after: self.reset_after.or(other.reset_after),
            nested: if self.nested == Nested::Allow { other.nested } else { self.nested },
            budget: self.budget.or(other.budget),
        }
    }
}

/// Prints what there is, in the order in which it is asked.
impl fmt::Debug for Guards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_list();
        if let Some(token) = &self.cancel {
            list.entry(token);
        }
        if let Some(breaker) = &self.breaker {
            list.entry(breaker);
        }
        if let Some(healthy) = &self.reset_after {
            list.entry(&format_args!("ResetAfter({healthy:?})"));
        }
        if self.nested != Nested::Allow {
            list.entry(&format_args!("Nested({:?})", self.nested));
        }
        if let Some(budget) = &self.budget {
            list.entry(budget);
        }
        list.finish()
    }
}

impl<P: fmt::Debug, K> fmt::Debug for Guarded<P, K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, guards, .. } = self;
        formatter.debug_struct("Guarded").field("policy", policy).field("guards", guards).finish()
    }
}

impl<P: Clone, K> Clone for Guarded<P, K> {
    fn clone(&self) -> Self {
        let (policy, guards) = (self.policy.clone(), self.guards.clone());
        Self { policy, guards, kind: PhantomData }
    }
}

impl<P: Policy> Policy for Guarded<P, NeverCuts> {
    type State = P::State;
    type Timing = <P::Timing as Timing>::AndGuarded;

    fn limits(&self) -> Limits {
        self.policy.limits()
    }

    fn guards(&self) -> Guards {
        self.guards.clone().or(self.policy.guards())
    }

    fn into_guards(self) -> Guards {
        self.guards.or(self.policy.into_guards())
    }

    fn attempts(&self) -> Option<u32> {
        self.policy.attempts()
    }
}

impl<P: Policy> Policy for Guarded<P, MayCut> {
    type State = P::State;
    type Timing = <<P::Timing as Timing>::AndTimed as Timing>::AndGuarded;

    fn limits(&self) -> Limits {
        self.policy.limits()
    }

    fn guards(&self) -> Guards {
        self.guards.clone().or(self.policy.guards())
    }

    fn into_guards(self) -> Guards {
        self.guards.or(self.policy.into_guards())
    }

    fn attempts(&self) -> Option<u32> {
        self.policy.attempts()
    }
}

impl<P, K, E, R> Decide<E, R> for Guarded<P, K>
where
    P: Decide<E, R>,
    Self: Policy<State = P::State>,
{
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        self.policy.decide(failure, rule, state, random)
    }
}
