use std::{fmt, marker::PhantomData, ops::Deref};

use crate::{
    failure::{Failure, classify::Classify, info::FailureInfo},
    policy::{ByDisposition, Classified, Named, Never, On, Rule},
};

/// Stands for the error type of a call, so that closures of `on` need no type annotations.
#[derive(Debug)]
pub struct ErrorType<E>(pub(super) PhantomData<fn() -> E>);

impl<E> Clone for ErrorType<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrorType<E> {}

/// Finds out whether an error type, which the expansion cannot name, is classified.
///
/// If it is, method resolution finds the methods below; otherwise those of [`Unclassified`], to which this type
/// dereferences.
impl<E: Classify> ErrorType<E> {
    /// Adds the error's own classification to a rule of `on`.
    pub fn rule<M>(self, rule: M) -> Classified<M> {
        Classified::new(rule)
    }

    /// Adds the error's own classification to a closure of `on`.
    pub fn classified<P, M>(self, on: On<P, Named<M>>) -> On<P, Named<Classified<M>>> {
        on.classified()
    }

    /// Never retries, but guards and telemetry get the error's classification.
    pub fn never(self) -> On<Never, ByDisposition> {
        On { policy: Never, rule: ByDisposition::default() }
    }
}

/// The bound on the rule is here, so that rustc reports a value that is not a rule once, at the place of the value.
impl<E> ErrorType<E> {
    /// Takes the rule of an operation without `on`, whose errors are retried by their disposition.
    ///
    /// Its concrete type makes a failure cheaper; rustc reports a missing bound only once for the same place.
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

/// Stands for an error type without a classification.
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
/// It holds function pointers: with a type that names the rule, or hides it behind `impl Rule`, rustc would report a value
/// that is not a rule a second time.
pub struct Checked<R, E> {
    rule: R,
    allows: fn(&R, &Failure<'_, E>) -> bool,
    info: fn(&R, &Failure<'_, E>) -> FailureInfo,
}

// No user should name this rule.
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

/// Makes `policy` retry the errors for which the closure returns `true`.
pub fn on_error<E, P, M: Fn(&E) -> bool>(_: ErrorType<E>, policy: P, rule: M) -> On<P, Named<M>> {
    On::new(policy, rule)
}
