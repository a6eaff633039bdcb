use std::sync::{Arc, LazyLock};

use crate::failure::{
    Failure,
    classify::{Classify, Disposition},
    info::FailureInfo,
};

/// Names the errors to retry; the argument of `on`.
///
/// Closures and functions `Fn(&E) -> bool` are rules, and so are error class sets such as `ErrorClass` for fred.
/// A value that `on_ok` retries has no error; every rule allows it.
///
/// ```
/// use retry_runtime::{Constant, RetryPolicy};
/// use std::{io, time::Duration};
///
/// fn is_refused(error: &io::Error) -> bool {
///     error.kind() == io::ErrorKind::ConnectionRefused
/// }
///
/// const RECONNECT: RetryPolicy<Constant, fn(&io::Error) -> bool> =
///     RetryPolicy::constant(Duration::from_millis(10)).on(is_refused);
/// ```
///
/// Implement a rule of your own for every `C`, the rule of the call, which it can ignore:
///
/// ```
/// use retry_runtime::{Failure, RetryPolicy, policy::Rule};
/// use std::io;
///
/// /// Retries the errors of the operating system that are listed.
/// #[derive(Debug, Clone, Copy)]
/// struct Codes(&'static [i32]);
///
/// impl<C> Rule<io::Error, C> for Codes {
///     fn allows(&self, failure: &Failure<'_, io::Error>, _: &C) -> bool {
///         let code = failure.error().and_then(io::Error::raw_os_error);
///         code.is_some_and(|code| self.0.contains(&code))
///     }
/// }
///
/// const POLICY: RetryPolicy<retry_runtime::Exponential, Codes> =
///     RetryPolicy::exponential().on(Codes(&[11, 16]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which errors of type `{E}` to retry",
    label = "not a rule for `{E}`",
    note = "`on` takes a closure or function `fn(&{E}) -> bool`, or an error class set"
)]
pub trait Rule<E, C> {
    /// Returns whether to retry after this failure.
    fn allows(&self, failure: &Failure<'_, E>, call: &C) -> bool;

    /// Returns what else is known about the failure; nothing unless overridden.
    fn info(&self, _: &Failure<'_, E>, _: &C) -> FailureInfo {
        FailureInfo::NONE
    }
}

impl<E, C, F: Fn(&E) -> bool> Rule<E, C> for F {
    #[inline]
    fn allows(&self, failure: &Failure<'_, E>, _: &C) -> bool {
        failure.error().is_none_or(self)
    }
}

/// Implements `Rule` for pointers to a rule.
macro_rules! pass_on {
    ($($(#[$doc:meta])* [$($generics:tt)*] $place:ty),* $(,)?) => {$(
        $(#[$doc])*
        impl<E, C, R: Rule<E, C> $($generics)*> Rule<E, C> for $place {
            fn allows(&self, failure: &Failure<'_, E>, call: &C) -> bool {
                (**self).allows(failure, call)
            }

            fn info(&self, failure: &Failure<'_, E>, call: &C) -> FailureInfo {
                (**self).info(failure, call)
            }
        }
    )*};
}

pass_on!(
    /// A rule in a `static`, created at its first use.
    [, F: FnOnce() -> R] LazyLock<R, F>,
    /// A shared rule.
    [+ ?Sized] Arc<R>,
);

/// The rule of a call, which policies ask that have no rule of their own.
///
/// [`ByDisposition`] is the rule of a call without `on`.
pub trait CallRule<E> {
    /// Returns whether to retry after this failure.
    fn allows(&self, failure: &Failure<'_, E>) -> bool;

    /// Returns what else is known about the failure.
    fn info(&self, failure: &Failure<'_, E>) -> FailureInfo;
}

/// Without a call, the operation counts as not idempotent.
impl<E: Classify> CallRule<E> for () {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        CallRule::allows(&ByDisposition::default(), failure)
    }

    fn info(&self, failure: &Failure<'_, E>) -> FailureInfo {
        FailureInfo::of(failure)
    }
}

/// The rule of a call that names errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Named<M>(pub(crate) M);

impl<E, M: Rule<E, ()>> CallRule<E> for Named<M> {
    #[inline]
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        self.0.allows(failure, &())
    }

    #[inline]
    fn info(&self, failure: &Failure<'_, E>) -> FailureInfo {
        self.0.info(failure, &())
    }
}

/// A policy that names no errors asks the rule of the call.
impl<E, C: CallRule<E>> Rule<E, C> for ByDisposition {
    #[inline]
    fn allows(&self, failure: &Failure<'_, E>, call: &C) -> bool {
        call.allows(failure)
    }

    #[inline]
    fn info(&self, failure: &Failure<'_, E>, call: &C) -> FailureInfo {
        call.info(failure)
    }
}

/// Whether repeating an operation leaves the same state and gives the same answer as doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Idempotence {
    /// A repeat can do something twice; the safe assumption.
    #[default]
    NotIdempotent,
    /// A repeat does no harm.
    Idempotent,
}

/// Retries by the [`Disposition`] of the error: the rule of every call, and every policy, without `on`.
///
/// In a call it says whether the operation is idempotent; in a policy it stands for the rule of the call.
///
/// [`Disposition::NotExecuted`] is retried always, [`Disposition::Unknown`] only if the operation is idempotent,
/// [`Disposition::Permanent`] never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ByDisposition {
    idempotence: Idempotence,
}

impl ByDisposition {
    /// Creates the rule for an operation.
    pub const fn new(idempotence: Idempotence) -> Self {
        Self { idempotence }
    }
}

// Without this, rustc says that `ByDisposition` is not a closure instead of that the error is not classified.
impl<E: Classify> CallRule<E> for ByDisposition {
    fn allows(&self, failure: &Failure<'_, E>) -> bool {
        match failure.disposition() {
            Disposition::NotExecuted => true,
            Disposition::Unknown => self.idempotence == Idempotence::Idempotent,
            Disposition::Permanent => false,
        }
    }

    fn info(&self, failure: &Failure<'_, E>) -> FailureInfo {
        FailureInfo::of(failure)
    }
}

/// A rule that only answers yes or no, such as a closure, together with what the error's [`Classify`] knows:
/// disposition, class, cost and hint.
///
/// `#[retryable]` adds it by itself if the error type implements `Classify`.
///
/// ```
/// use retry_runtime::{Constant, RetryPolicy, policy::Classified};
/// use std::{io, time::Duration};
///
/// fn is_busy(error: &io::Error) -> bool {
///     error.kind() == io::ErrorKind::ResourceBusy
/// }
///
/// // A busy server costs a budget less than one that fails.
/// const BUSY: RetryPolicy<Constant, Classified<fn(&io::Error) -> bool>> =
///     RetryPolicy::constant(Duration::from_secs(1)).on(Classified::new(is_busy));
/// # let _ = BUSY;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Classified<M> {
    rule: M,
}

impl<M> Classified<M> {
    /// Adds the error's own classification to `rule`.
    pub const fn new(rule: M) -> Self {
        Self { rule }
    }
}

impl<E: Classify, C, M: Rule<E, C>> Rule<E, C> for Classified<M> {
    fn allows(&self, failure: &Failure<'_, E>, call: &C) -> bool {
        self.rule.allows(failure, call)
    }

    fn info(&self, failure: &Failure<'_, E>, call: &C) -> FailureInfo {
        let own = self.rule.info(failure, call);
        if own == FailureInfo::NONE { FailureInfo::of(failure) } else { own }
    }
}
