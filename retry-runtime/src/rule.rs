use std::{
    any, fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    Advice, Classify, Decide, Decision, Disposition, Failure, Guards, Limits, Policy, Random, Stop,
};

/// Answers the first question of every failure: may this error be retried?
///
/// Closures and functions `Fn(&E) -> bool` are rules, and so are error class sets such as `ErrorClass` for fred.
/// A value that `on_ok` asked to retry has no error; every rule allows it.
///
/// ```
/// use retry_runtime::{On, RetryPolicy, Constant};
/// use std::{io, time::Duration};
///
/// fn is_refused(error: &io::Error) -> bool {
///     error.kind() == io::ErrorKind::ConnectionRefused
/// }
///
/// const RECONNECT: On<RetryPolicy<Constant>, fn(&io::Error) -> bool> =
///     RetryPolicy::constant(Duration::from_millis(10)).on(is_refused);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which errors of type `{E}` to retry",
    label = "not a rule for `{E}`",
    note = "`on` takes a closure or function `fn(&{E}) -> bool`, or an error class set"
)]
pub trait Rule<E> {
    /// Tells whether the failed attempt may be repeated.
    fn allows(&self, failure: &Failure<'_, E>) -> bool;

    /// Tells what else is known about the failure: nothing, unless overridden.
    fn advice(&self, _: &Failure<'_, E>) -> Advice {
        Advice::NONE
    }
}

impl<E, F> Rule<E> for F
where
    F: Fn(&E) -> bool,
{
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        failure.error().is_none_or(self)
    }
}

/// A rule in a `static` that is made when it is first asked.
impl<E, R: Rule<E>, F: FnOnce() -> R> Rule<E> for LazyLock<R, F> {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        (**self).allows(failure)
    }

    fn advice(&self, failure: &Failure<'_, E>) -> Advice {
        (**self).advice(failure)
    }
}

/// A rule that is shared.
impl<E, R: Rule<E> + ?Sized> Rule<E> for Arc<R> {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        (**self).allows(failure)
    }

    fn advice(&self, failure: &Failure<'_, E>) -> Advice {
        (**self).advice(failure)
    }
}

/// Says whether repeating an operation leaves the same state and answer as doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Idempotence {
    /// A repeat may do something twice; the safe assumption.
    #[default]
    NotIdempotent,
    /// A repeat does no harm.
    Idempotent,
}

/// Retries by the [`Disposition`] of the error: the rule of every call without `on`.
///
/// [`Disposition::NotExecuted`] is retried always, [`Disposition::Unknown`] only if the operation is idempotent,
/// [`Disposition::Permanent`] never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ByDisposition {
    idempotence: Idempotence,
}

impl ByDisposition {
    /// Makes the rule for an operation.
    pub const fn new(idempotence: Idempotence) -> Self {
        Self { idempotence }
    }
}

// Without this, rustc says that `ByDisposition` is not a closure instead of that the error is not classified.
impl<E: Classify> Rule<E> for ByDisposition {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        match failure.disposition() {
            Disposition::NotExecuted => true,
            Disposition::Unknown => self.idempotence == Idempotence::Idempotent,
            Disposition::Permanent => false,
        }
    }

    fn advice(&self, failure: &Failure<'_, E>) -> Advice {
        Advice::of(failure)
    }
}

/// A rule that only says yes or no, such as a closure, and what the [`Classify`] of the error knows besides: its
/// disposition and class, what a retry costs, how long the server wants to be left alone.
///
/// `#[retryable]` does this by itself where the error is classified.
///
/// ```
/// use retry_runtime::{Classified, Constant, On, RetryPolicy};
/// use std::{io, time::Duration};
///
/// fn is_busy(error: &io::Error) -> bool {
///     error.kind() == io::ErrorKind::ResourceBusy
/// }
///
/// // A busy server costs a budget less than one that fails.
/// const BUSY: On<RetryPolicy<Constant>, Classified<fn(&io::Error) -> bool>> =
///     RetryPolicy::constant(Duration::from_secs(1)).on(Classified::new(is_busy));
/// # let _ = BUSY;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Classified<M> {
    rule: M,
}

impl<M> Classified<M> {
    /// Adds to `rule` what the error says of itself.
    pub const fn new(rule: M) -> Self {
        Self { rule }
    }
}

impl<E: Classify, M: Rule<E>> Rule<E> for Classified<M> {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        self.rule.allows(failure)
    }

    fn advice(&self, failure: &Failure<'_, E>) -> Advice {
        let own = self.rule.advice(failure);
        if own == Advice::NONE { Advice::of(failure) } else { own }
    }
}

/// A policy that retries the errors named by a [`Rule`], and only them; made by the `on` method of a policy.
///
/// Inside a composite it speaks for its member; around a composite it speaks for the members that name no errors
/// of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct On<P, M> {
    pub(crate) policy: P,
    pub(crate) rule: M,
}

impl<P, M> On<P, M> {
    /// Adds to the rule what the error says of itself; see [`Classified`].
    pub fn classified(self) -> On<P, Classified<M>> {
        On { policy: self.policy, rule: Classified::new(self.rule) }
    }
}

/// Prints the rule by the name of its type, since functions and closures print nothing themselves.
impl<P: fmt::Debug, M> fmt::Debug for On<P, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = format_args!("{}", any::type_name::<M>());
        formatter.debug_struct("On").field("policy", &self.policy).field("rule", &rule).finish()
    }
}

impl<P: Policy, M> Policy for On<P, M> {
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

impl<P, M, E, R> Decide<E, R> for On<P, M>
where
    P: Decide<E, M>,
    M: Rule<E>,
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
            Decision::Stop(stop) if stop.advice == Advice::NONE => {
                Decision::Stop(Stop { advice: self.rule.advice(failure), ..stop })
            }
            decision => decision,
        }
    }
}
