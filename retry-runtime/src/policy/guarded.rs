use std::{fmt, marker::PhantomData, time::Duration};

#[cfg(feature = "cancel")]
use super::Token;
use super::{
    Classified, Composite, Decide, Decision, Guards, Limits, Measured, Nested, NoRetry, Policy,
    RetryPolicy, Timed, Timing, Untimed, limits::earlier,
};
use crate::{
    backoff::{Constant, Exponential, jitter::Jitter, random::Random},
    failure::{Failure, GiveUpReason},
    overload::{Budget, CircuitBreaker},
};

/// A policy with guards; the result of the methods `budget`, `breaker`, `cancel`, `nested`, `reset_after` and
/// `give_up_after` of a policy.
///
/// The guards act in a fixed order, whatever the order of the methods; `Debug` prints it:
///
/// 1. A call that is **cancelled**, or that the **breaker** rejects, does not begin.
/// 2. After a failure the policy decides; it first forgets the failures before an attempt that ran for `reset_after`.
///    Then `give_up_after`, the deadline, and the setting for **nested** calls decide.
/// 3. The breaker receives the outcome of the attempt, with what is known about the error.
/// 4. The call ends if it is cancelled or its breaker is open.
/// 5. The **budget** pays for the retry, before the wait.
/// 6. After the wait the call checks the deadline and the cancellation again.
///    Then the breaker admits the retry, or the call ends and the budget gets its tokens back.
///
/// If several policies have guards, or a policy and the arguments of `#[retryable]`, **all of them apply**: each token
/// ends the call, and each breaker has to admit it and receives the outcome of every attempt.
/// A member of a [`Composite`](crate::policy::Composite) keeps its own budget, `reset_after` and `give_up_after`: the
/// members that ask for a retry pay for it.
///
/// Once an attempt has failed, the caller gets its error, whatever ends the call.
/// A call that ends before its first attempt has no error.
/// With a breaker or a cancellation token, the error type of the operation must therefore implement
/// `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
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
pub struct Guarded<P, K = NeverAborts> {
    policy: P,
    guards: Guards,
    health: Health,
    kind: PhantomData<fn() -> K>,
}

/// When a call counts as healthy again after failures, and how long it can fail.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Health {
    pub(super) reset_after: Option<Duration>,
    pub(super) give_up_after: Option<Duration>,
}

/// What a call remembers about a [`Guarded`] policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched<S> {
    policy: S,
    /// When the failures began, counted from the start of the call.
    failing_since: Option<Duration>,
}

/// Marks a [`Guarded`] policy that only ends calls that have failed.
#[derive(Debug, Clone, Copy)]
pub struct NeverAborts;

/// Marks a [`Guarded`] policy that can end a call before its first attempt.
#[derive(Debug, Clone, Copy)]
pub struct MayAbort;

impl<P, K> Guarded<P, K> {
    pub(crate) fn new(policy: P) -> Self {
        Self { policy, guards: Guards::default(), health: Health::default(), kind: PhantomData }
    }

    fn with<L>(self, change: impl FnOnce(&mut Guards)) -> Guarded<P, L> {
        let Self { policy, mut guards, health, .. } = self;
        change(&mut guards);
        Guarded { policy, guards, health, kind: PhantomData }
    }

    /// Takes every retry from a budget; see [`Budget`].
    ///
    /// The price depends on the error: its [`Classify`](crate::failure::classify::Classify) gives it, or a
    /// [`Rule`](crate::policy::Rule) that returns an `info` of its own.
    /// A closure or function of `on` only answers yes or no; [`Classified`](crate::policy::Classified) asks the error for the
    /// rest, and `#[retryable]` does so by itself.
    pub fn budget(self, budget: &Budget) -> Self {
        self.with(|guards| guards.budget = Some(budget.clone()))
    }

    /// Makes no attempt while a circuit breaker is open; see [`CircuitBreaker`].
    ///
    /// The breaker decides which failures count, whatever `on` names; see
    /// [`CircuitBreakerBuilder::counts`](crate::overload::CircuitBreakerBuilder::counts).
    pub fn breaker(self, breaker: &CircuitBreaker) -> Guarded<P, MayAbort> {
        self.with(|guards| guards.breaker = Some(breaker.clone()))
    }

    /// Ends the call when a token of `tokio_util` is cancelled: a wait ends at once, and no attempt begins.
    ///
    /// A running attempt is not aborted; the caller gets its outcome.
    #[cfg(feature = "cancel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
    pub fn cancel(self, token: &tokio_util::sync::CancellationToken) -> Guarded<P, MayAbort> {
        self.with(|guards| guards.cancel = Some(Token::new(token.clone())))
    }

    /// Chooses which of two nested calls retries, this one or the one inside it; see [`Nested`].
    pub fn nested(self, nested: Nested) -> Self {
        self.with(|guards| guards.nested = nested)
    }

    /// Resets the retry count and the backoff after an attempt that ran for at least `healthy`.
    ///
    /// For operations that run for days, such as a subscriber: without it, the third failure in a month ends the call.
    /// An attempt that its timeout aborted does not count as healthy, however long it ran.
    /// With zero, every attempt that was not aborted counts, so only a deadline or [`give_up_after`](Self::give_up_after)
    /// ends the call.
    pub fn reset_after(mut self, healthy: Duration) -> Self {
        self.health.reset_after = Some(healthy);
        self.with(|guards| guards.times = true)
    }

    /// Ends the call when it has been failing for `failing`, counted from its first failure, or from the first failure after
    /// a healthy attempt; see [`reset_after`](Self::reset_after).
    ///
    /// A deadline also counts the time during which an operation works, which can be days.
    /// No wait begins that would pass this limit; the reason is [`GiveUpReason::Deadline`].
    /// A running attempt is not aborted.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::{io, time::Duration};
    ///
    /// async fn subscribe() -> io::Result<()> {
    ///     // … reads messages until the connection is lost …
    /// #   Err(io::ErrorKind::ConnectionRefused.into())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
    /// let minute = Duration::from_secs(60);
    /// let policy = RetryPolicy::exponential().unlimited().reset_after(minute).give_up_after(10 * minute);
    /// assert!(policy.retry(subscribe).await.is_err()); // after ten minutes without a healthy attempt
    /// # });
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn give_up_after(mut self, failing: Duration) -> Self {
        self.health.give_up_after = Some(failing);
        self.with(|guards| guards.times = true)
    }
}

impl<P, K> Guarded<P, K> {
    fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Guarded<Q, K> {
        let Self { policy, guards, health, kind } = self;
        Guarded { policy: change(policy), guards, health, kind }
    }

    /// Retries with this policy or another, whichever matches; see [`Composite`].
    pub const fn or<Other>(self, other: Other) -> Composite<Self, Other> {
        Composite::new(self, other)
    }
}

/// Writes the settings of a [`RetryPolicy`] for one with guards, so that their order does not matter.
macro_rules! pass_settings {
    ($([$($generics:tt)*] $policy:ty {
        $($name:ident($($argument:ident: $kind:ty)?) -> $result:ty $(where $param:ident)?;)*
    })*) => {$(
        impl<$($generics)*> Guarded<$policy, K> {
            $(
                #[doc = concat!("See [`RetryPolicy::", stringify!($name), "`].")]
                pub fn $name$(<$param>)?(self $(, $argument: $kind)?) -> Guarded<$result, K> {
                    self.map(|policy| policy.$name($($argument)?))
                }
            )*
        }
    )*};
}

pass_settings! {
    [B, R, T, K] RetryPolicy<B, R, T> {
        retries(retries: u32) -> RetryPolicy<B, R, T>;
        unlimited() -> RetryPolicy<B, R, T>;
        max_hint(longer: Duration) -> RetryPolicy<B, R, T>;
        cap_hints() -> RetryPolicy<B, R, T>;
    }
    [R, T, K] RetryPolicy<Constant, R, T> {
        jitter(jitter: Jitter) -> RetryPolicy<Constant, R, T>;
    }
    [R, T, K] RetryPolicy<Exponential, R, T> {
        base_delay(base_delay: Duration) -> RetryPolicy<Exponential, R, T>;
        max_delay(max_delay: Duration) -> RetryPolicy<Exponential, R, T>;
        factor(factor: f64) -> RetryPolicy<Exponential, R, T>;
        jitter(jitter: Jitter) -> RetryPolicy<Exponential, R, T>;
    }
    [B: Copy, R: Copy, T: Copy, K] RetryPolicy<B, R, T> {
        on(rule: M) -> RetryPolicy<B, M, T> where M;
        classified() -> RetryPolicy<B, Classified<R>, T>;
    }
    [B: Copy, R: Copy, K] RetryPolicy<B, R, Untimed> {
        deadline(deadline: Duration) -> RetryPolicy<B, R, Timed>;
        attempt_timeout(timeout: Duration) -> RetryPolicy<B, R, Timed>;
        retry_for(limit: Duration) -> RetryPolicy<B, R, Measured>;
    }
    [B: Copy, R: Copy, K] RetryPolicy<B, R, Measured> {
        deadline(deadline: Duration) -> RetryPolicy<B, R, Timed>;
        attempt_timeout(timeout: Duration) -> RetryPolicy<B, R, Timed>;
        retry_for(limit: Duration) -> RetryPolicy<B, R, Measured>;
    }
    [B: Copy, R: Copy, K] RetryPolicy<B, R, Timed> {
        deadline(deadline: Duration) -> RetryPolicy<B, R, Timed>;
        attempt_timeout(timeout: Duration) -> RetryPolicy<B, R, Timed>;
        retry_for(limit: Duration) -> RetryPolicy<B, R, Timed>;
    }
}

impl Health {
    /// Returns whether an attempt ran long enough for the failures before it not to count.
    fn is_restored<E>(self, failure: &Failure<'_, E>) -> bool {
        let (Some(healthy), Some(ran)) = (self.reset_after, failure.ran) else { return false };
        failure.aborted.is_none() && ran >= healthy
    }
}

impl<P: fmt::Debug, K> fmt::Debug for Guarded<P, K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct List<'a>(&'a Guards, Health);

        impl fmt::Debug for List<'_> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut list = formatter.debug_list();
                self.0.entries(self.1, &mut list);
                list.finish()
            }
        }

        let Self { policy, guards, health, .. } = self;
        let guards = List(guards, *health);
        formatter.debug_struct("Guarded").field("policy", policy).field("guards", &guards).finish()
    }
}

impl<P: Clone, K> Clone for Guarded<P, K> {
    fn clone(&self) -> Self {
        let (policy, guards) = (self.policy.clone(), self.guards.clone());
        Self { policy, guards, health: self.health, kind: PhantomData }
    }
}

/// How a [`Guarded`] policy changes the timing of the policy inside it.
pub trait GuardKind {
    /// The timing of `T` under these guards.
    type Over<T: Timing>: Timing;
}

impl GuardKind for NeverAborts {
    type Over<T: Timing> = T::AndGuarded;
}

impl GuardKind for MayAbort {
    type Over<T: Timing> = <T::AndTimed as Timing>::AndGuarded;
}

impl<P: Policy, K: GuardKind> Policy for Guarded<P, K> {
    type State = Watched<P::State>;
    type Timing = K::Over<P::Timing>;

    fn limits(&self) -> Limits {
        self.policy.limits()
    }

    fn guards(&self) -> Guards {
        self.policy.guards().and(self.guards.clone())
    }

    fn into_guards(self) -> Guards {
        let inner = self.policy.into_guards();
        if inner.is_empty() { self.guards } else { inner.and(self.guards) }
    }

    fn budgets(&self) -> u32 {
        self.policy.budgets() + self.guards.budgets()
    }

    fn attempts(&self) -> Option<u32> {
        self.policy.attempts()
    }
}

impl<P, K, E, R> Decide<E, R> for Guarded<P, K>
where
    P: Decide<E, R>,
    K: GuardKind,
{
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut Watched<P::State>,
        random: &mut Random,
    ) -> Decision {
        if self.health.is_restored(failure) {
            *state = Watched::default();
        }
        let since = *state.failing_since.get_or_insert(failure.elapsed);
        let decision = self.policy.decide(failure, rule, &mut state.policy, random);
        let (Decision::Retry(mut retry), Some(limit)) = (decision, self.health.give_up_after)
        else {
            return decision;
        };
        let end = since.saturating_add(limit);
        if failure.elapsed.saturating_add(retry.delay) >= end {
            return Decision::GiveUp(NoRetry { reason: GiveUpReason::Deadline, info: retry.info });
        }
        retry.start_before = earlier(retry.start_before, Some(end));
        Decision::Retry(retry)
    }
}
