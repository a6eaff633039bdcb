use std::fmt;

use super::{Token, guarded::Health};
use crate::overload::{Budget, CircuitBreaker};

/// What watches over a call beside its policy: budgets, breakers, cancellation tokens, and who retries in nested calls.
///
/// The methods `budget`, `breaker`, `cancel` and `nested` of a policy add them; a policy of your own can also return them
/// from [`Policy::guards`](crate::policy::Policy::guards):
///
/// ```
/// use retry_runtime::{
///     Budget, Failure, backoff::Random,
///     policy::{Decide, Decision, Guards, Policy, Untimed, WithGuards},
/// };
/// use std::time::Duration;
///
/// /// Retries at once while there are tokens.
/// struct WhileTokensLast {
///     budget: Budget,
/// }
///
/// impl Policy for WhileTokensLast {
///     type State = ();
///     type Timing = WithGuards<Untimed>;
///
///     fn guards(&self) -> Guards {
///         Guards::new().budget(&self.budget)
///     }
/// }
///
/// impl<E, R> Decide<E, R> for WhileTokensLast {
///     fn decide(&self, _: &Failure<'_, E>, _: &R, _: &mut (), _: &mut Random) -> Decision {
///         Decision::retry_after(Duration::ZERO)
///     }
/// }
/// # let _ = WhileTokensLast { budget: Budget::new() };
/// ```
#[derive(Clone, Default)]
pub struct Guards {
    pub(crate) cancel: Option<Token>,
    pub(crate) breaker: Option<CircuitBreaker>,
    pub(crate) nested: Nested,
    pub(crate) budget: Option<Budget>,
    /// Whether it matters how long an attempt runs.
    pub(crate) times: bool,
    /// The second of a kind: few calls have one.
    pub(crate) more: Option<Box<Guards>>,
}

/// Which of two retrying calls, one running inside the other, retries.
///
/// Three retries inside three make sixteen attempts, and a stack of five such layers a thousand.
///
/// ```
/// use retry_runtime::{RetryPolicy, policy::Nested};
///
/// // This call retries as a whole; what it calls does not.
/// let policy = RetryPolicy::exponential().nested(Nested::OuterOnly);
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Nested {
    /// Both; an event reports a retry inside a retry, with the number of attempts that they can make together.
    #[default]
    Allow,
    /// The calls inside: a failure that one of them has retried and returned is not retried here.
    ///
    /// A failure counts as theirs if the attempt ends in the same poll as the last call inside it, with no other await in
    /// between.
    /// If the attempt handles their failure and then awaits something else, such as another server, a later failure is
    /// retried.
    /// A failure that follows at once cannot be distinguished from theirs, so it is not retried; put
    /// `tokio::task::yield_now().await` in between to separate the two.
    /// A blocking function awaits nothing, so every failure after a failed call inside it counts as theirs.
    InnerOnly,
    /// This call: the calls inside it are not retried.
    OuterOnly,
}

impl Guards {
    /// Creates an empty set of guards.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes every retry from a budget; see [`Guarded::budget`](crate::policy::Guarded::budget).
    pub fn budget(self, budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..self }
    }

    /// Makes no attempt while a circuit breaker is open; see [`Guarded::breaker`](crate::policy::Guarded::breaker).
    ///
    /// The timing of the policy must be `WithGuards<Timed>`; otherwise the first attempt is made even while the breaker is
    /// open, because there is no error to return instead.
    pub fn breaker(self, breaker: &CircuitBreaker) -> Self {
        Self { breaker: Some(breaker.clone()), ..self }
    }

    /// Ends the call when a token is cancelled; see [`Guarded::cancel`](crate::policy::Guarded::cancel).
    ///
    /// As for a breaker, the timing of the policy must be `WithGuards<Timed>`.
    #[cfg(feature = "cancel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
    pub fn cancel(self, token: &tokio_util::sync::CancellationToken) -> Self {
        Self { cancel: Some(Token::new(token.clone())), ..self }
    }

    /// Chooses which of two nested calls retries, this one or the one inside it; see [`Nested`].
    pub fn nested(self, nested: Nested) -> Self {
        Self { nested, ..self }
    }

    /// Returns whether there are no guards.
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

    /// Joins two sets of guards; the budgets keep their order.
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
            // A call that does all the retrying leaves none to the calls inside it.
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
    pub(crate) fn budget_statistics(&self) -> Vec<crate::overload::BudgetStatistics> {
        let more = self.more.as_ref().map(|more| more.budget_statistics()).unwrap_or_default();
        self.budget.iter().map(Budget::statistics).chain(more).collect()
    }

    pub(super) fn entries(&self, health: Health, list: &mut fmt::DebugList<'_, '_>) {
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

/// Returns the first value, and the second if there are two.
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

/// Prints the guards in the order in which a call asks them.
impl fmt::Debug for Guards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_list();
        self.entries(Health::default(), &mut list);
        list.finish()
    }
}
