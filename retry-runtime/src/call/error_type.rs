use std::{fmt, marker::PhantomData, ops::Deref};

use crate::{
    failure::{Failure, classify::Classify, info::FailureInfo},
    policy::{ByDisposition, Classified, Named, Never, On, Rule},
};

/// Stands for the error type of a call, so that the closures of `on` need no annotations.
#[derive(Debug)]
pub struct ErrorType<E>(pub(super) PhantomData<fn() -> E>);

impl<E> Clone for ErrorType<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrorType<E> {}

/// What the expansion asks of a type without naming it: whether the error is classified.
///
/// The methods below are found if it is; else those of [`Unclassified`], to which this type dereferences.
impl<E: Classify> ErrorType<E> {
    /// Lets a rule of `on` know what the error says of itself.
    pub fn rule<M>(self, rule: M) -> Classified<M> {
        Classified::new(rule)
    }

    /// Lets a closure of `on` know what the error says of itself.
    pub fn classified<P, M>(self, on: On<P, Named<M>>) -> On<P, Named<Classified<M>>> {
        on.classified()
    }

    /// Never retries; guards and telemetry know the error all the same.
    pub fn never(self) -> On<Never, ByDisposition> {
        On { policy: Never, rule: ByDisposition::default() }
    }
}

/// A rule is asked for here, so that one that is none is reported once, where it is named.
impl<E> ErrorType<E> {
    /// Takes the rule of an operation without `on`, whose errors say themselves whether they may be retried.
    ///
    /// It is asked as what it is, which costs a failure less; rustc says once what is missing at the same place twice.
    pub fn by_disposition(self, rule: ByDisposition) -> ByDisposition
    where
        E: Classify,
    {
        rule
    }

    /// Takes a rule.
    pub fn own<R: Rule<E, ()>>(self, rule: R) -> Checked<R, E> {
        Checked {
            rule,
            allows: |rule, failure| rule.allows(failure, &()),
            info: |rule, failure| rule.info(failure, &()),
        }
    }

    /// Lends a rule to one call.
    pub fn lend<R: Rule<E, ()>>(self, rule: &R) -> Checked<&R, E> {
        Checked {
            rule,
            allows: |rule, failure| rule.allows(failure, &()),
            info: |rule, failure| rule.info(failure, &()),
        }
    }
}

impl<E> Deref for ErrorType<E> {
    type Target = Unclassified;

    fn deref(&self) -> &Unclassified {
        &Unclassified
    }
}

/// Stands for an error type that says nothing of itself.
#[derive(Debug)]
pub struct Unclassified;

#[expect(clippy::unused_self, reason = "the compiler finds the method by it")]
impl Unclassified {
    /// Leaves a rule of `on` as it is.
    pub fn rule<M>(&self, rule: M) -> M {
        rule
    }

    /// Leaves a closure of `on` as it is.
    pub fn classified<P, M>(&self, on: On<P, Named<M>>) -> On<P, Named<M>> {
        on
    }

    /// Never retries.
    pub fn never(&self) -> Never {
        Never
    }
}

/// A rule that fits the error.
///
/// By pointers to its functions: a type that named the rule, or hid it behind `impl Rule`, would have rustc report
/// once more what is none.
pub struct Checked<R, E> {
    rule: R,
    allows: fn(&R, &Failure<'_, E>) -> bool,
    info: fn(&R, &Failure<'_, E>) -> FailureInfo,
}

// Not a rule that anybody should name.
#[diagnostic::do_not_recommend]
impl<R, E, C> Rule<E, C> for Checked<R, E> {
    fn allows(&self, failure: &Failure<'_, E>, _: &C) -> bool {
        (self.allows)(&self.rule, failure)
    }

    fn info(&self, failure: &Failure<'_, E>, _: &C) -> FailureInfo {
        (self.info)(&self.rule, failure)
    }
}

impl<R, E> fmt::Debug for Checked<R, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Checked").finish_non_exhaustive()
    }
}

/// Makes `policy` retry the errors for which a closure says so.
pub fn on_error<E, P, M: Fn(&E) -> bool>(_: ErrorType<E>, policy: P, rule: M) -> On<P, Named<M>> {
    On::new(policy, rule)
}
