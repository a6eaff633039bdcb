use std::{fmt, marker::PhantomData, time::Duration};

use crate::{
    Budget, CircuitBreaker, Decide, Decision, Failure, Limits, Policy, Random, Reason, Stop,
    Timing, drive::Token, limit::shorter,
};

/// A policy with something that watches over its calls; made by the methods `budget`, `breaker`, `cancel`, `nested`,
/// `reset_after` and `give_up_after` of a policy.
///
/// The order is fixed, whatever the order of the methods; `Debug` prints it:
///
/// 1. A call that is **cancelled**, or that the **breaker** rejects, does not begin.
/// 2. After a failure the policy decides, having forgotten the failures before an attempt that ran for `reset_after`;
///    then `give_up_after`, then the deadline, then what holds for **nested** calls.
/// 3. The attempt is reported to the breaker, with what is known of the error.
/// 4. A cancelled call ends; one whose breaker is open ends.
/// 5. The **budget** pays for the retry, before the wait.
/// 6. After the wait the deadline and the cancellation are looked at again, then the breaker admits the retry, or the
///    call ends and the budget gets its tokens back.
///
/// Where policies meet, each with guards, or a policy and the arguments of `#[retryable]`, **all of them hold**: each
/// token ends the call, each breaker has to admit it and hears of every attempt.
/// A member of a [`Composite`](crate::Composite) keeps its own budget, `reset_after` and `give_up_after`: a retry is paid
/// by the members that ask for it.
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
    health: Health,
    kind: PhantomData<fn() -> K>,
}

/// When a call that fails now and then counts as healthy, and how long it may fail.
#[derive(Debug, Clone, Copy, Default)]
struct Health {
    reset_after: Option<Duration>,
    give_up_after: Option<Duration>,
}

/// What a call remembers about a [`Guarded`] policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched<S> {
    policy: S,
    /// When the failures began, since the start of the call.
    failing_since: Option<Duration>,
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
    pub(crate) nested: Nested,
    pub(crate) budget: Option<Budget>,
    /// Whether it matters how long an attempt runs.
    pub(crate) times: bool,
    /// Those of which there is one already: few calls have two.
    pub(crate) more: Option<Box<Guards>>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Nested {
    /// Both; a retry inside a retry is told in an event, with the number of attempts that they may make together.
    #[default]
    Allow,
    /// The calls inside: a failure that one of them has retried and returned is not retried here.
    ///
    /// It is theirs if the attempt ends together with the call inside that ended last: nothing was awaited in between,
    /// and no other retrying call has failed.
    /// Whoever handles such a failure and then awaits something else, say another server, is retried for what comes then.
    /// A failure that follows at once, with nothing awaited in between, cannot be told from theirs, so it is not retried;
    /// `tokio::task::yield_now().await` before what comes then tells the two apart.
    /// A function that blocks awaits nothing, so there each failure after it is taken for theirs.
    InnerOnly,
    /// This call: the calls inside it are not retried.
    OuterOnly,
}

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
    /// What a retry costs, and how long the server wants to be left alone, is said by the
    /// [`Classify`](crate::Classify) of the error, or by a [`Rule`](crate::Rule) with advice of its own.
    /// A closure or a function of `on` only says yes or no; [`Classified`](crate::Classified) asks the error for the
    /// rest, and `#[retryable]` does so by itself.
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

    /// Forgets the failures before an attempt that ran so long, so that retries and delays start again: for bodies that
    /// run for days, such as a subscriber, where the third failure of a lifetime must not end it.
    ///
    /// An attempt that was cut by its timeout was not healthy, however long it ran.
    /// Zero forgets them after every other attempt, so that only a deadline or [`give_up_after`](Self::give_up_after)
    /// ends the call.
    pub fn reset_after(mut self, healthy: Duration) -> Self {
        self.health.reset_after = Some(healthy);
        self.with(|guards| guards.times = true)
    }

    /// Ends the call when it has failed for so long: from its first failure on, or from the first after a healthy
    /// attempt, see [`reset_after`](Self::reset_after).
    ///
    /// A deadline counts all the time, which a body that runs for days spends in good health.
    /// No wait begins that would pass this limit; the reason is [`Reason::Deadline`].
    /// An attempt that runs is not cut.
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
    /// assert!(policy.retry(subscribe).await.is_err()); // after ten minutes without a healthy one
    /// # });
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn give_up_after(mut self, failing: Duration) -> Self {
        self.health.give_up_after = Some(failing);
        self.with(|guards| guards.times = true)
    }
}

impl Health {
    /// Tells whether an attempt ran so long that what failed before it does not count.
    fn is_restored<E>(self, failure: &Failure<'_, E>) -> bool {
        let (Some(healthy), Some(ran)) = (self.reset_after, failure.ran) else { return false };
        failure.cut.is_none() && ran >= healthy
    }
}

impl Guards {
    /// Tells whether nothing watches.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let Self { cancel, breaker, nested, budget, times, more } = self;
        cancel.is_none()
            && breaker.is_none()
            && *nested == Nested::Allow
            && budget.is_none()
            && !times
            && more.is_none()
    }

    /// Returns these guards and those of `other`; the budgets stay in this order, from the first place on.
    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        let (cancel, second_token) = both(self.cancel, other.cancel);
        let (breaker, second_breaker) = both(self.breaker, other.breaker);
        let (budget, second_budget) = both(self.budget, other.budget);
        let seconds = Self {
            cancel: second_token,
            breaker: second_breaker,
            budget: second_budget,
            ..Self::default()
        };
        let there =
            seconds.cancel.is_some() || seconds.breaker.is_some() || seconds.budget.is_some();
        let seconds = there.then(|| Box::new(seconds));
        Self {
            cancel,
            breaker,
            // A call that retries for those inside it leaves nothing to them.
            nested: self.nested.max(other.nested),
            budget,
            times: self.times || other.times,
            more: join(join(self.more, seconds), other.more),
        }
    }

    /// Returns how many budgets there are.
    #[inline]
    pub(crate) fn budgets(&self) -> u32 {
        let more = self.more.as_ref().map_or(0, |more| more.further_budgets());
        more + u32::from(self.budget.is_some())
    }

    #[cold]
    fn further_budgets(&self) -> u32 {
        self.budgets()
    }

    /// Returns the state of each budget.
    #[cfg(feature = "fred")]
    pub(crate) fn budget_statistics(&self) -> Vec<crate::BudgetStatistics> {
        let more = self.more.as_ref().map(|more| more.budget_statistics()).unwrap_or_default();
        self.budget.iter().map(Budget::statistics).chain(more).collect()
    }

    fn entries(&self, health: Health, list: &mut fmt::DebugList<'_, '_>) {
        if let Some(token) = &self.cancel {
            list.entry(token);
        }
        if let Some(breaker) = &self.breaker {
            list.entry(breaker);
        }
        if let Some(healthy) = health.reset_after {
            list.entry(&format_args!("ResetAfter({healthy:?})"));
        }
        if let Some(failing) = health.give_up_after {
            list.entry(&format_args!("GiveUpAfter({failing:?})"));
        }
        if self.nested != Nested::Allow {
            list.entry(&format_args!("Nested({:?})", self.nested));
        }
        if let Some(budget) = &self.budget {
            list.entry(budget);
        }
        if let Some(more) = &self.more {
            more.entries(Health::default(), list);
        }
    }
}

/// Returns the first there is, and the one that finds the place taken.
#[inline]
fn both<T>(one: Option<T>, other: Option<T>) -> (Option<T>, Option<T>) {
    if one.is_some() { (one, other) } else { (other, None) }
}

#[inline]
fn join(one: Option<Box<Guards>>, other: Option<Box<Guards>>) -> Option<Box<Guards>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Box::new(chain(*one, *other))),
        (one, other) => one.or(other),
    }
}

#[cold]
fn chain(one: Guards, other: Guards) -> Guards {
    one.and(other)
}

/// Prints what there is, in the order in which it is asked.
impl fmt::Debug for Guards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_list();
        self.entries(Health::default(), &mut list);
        list.finish()
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

impl<P: Policy> Policy for Guarded<P, NeverCuts> {
    type State = Watched<P::State>;
    type Timing = <P::Timing as Timing>::AndGuarded;

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

impl<P: Policy> Policy for Guarded<P, MayCut> {
    type State = Watched<P::State>;
    type Timing = <<P::Timing as Timing>::AndTimed as Timing>::AndGuarded;

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
    Self: Policy<State = Watched<P::State>>,
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
        let (Decision::Retry(mut pause), Some(limit)) = (decision, self.health.give_up_after)
        else {
            return decision;
        };
        let end = since.saturating_add(limit);
        if failure.elapsed.saturating_add(pause.delay) >= end {
            return Decision::Stop(Stop { reason: Reason::Deadline, advice: pause.advice });
        }
        pause.start_before = shorter(pause.start_before, Some(end));
        Decision::Retry(pause)
    }
}
