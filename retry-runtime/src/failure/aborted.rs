use std::{cell::RefCell, convert::Infallible, fmt, io, sync::Arc, time::Duration};

use crate::failure::{GiveUpReason, rejected::Rejected};

/// Why a call or an attempt ended without an error of its own.
///
/// An error type represents it by implementing `From<Aborted>`; the errors of `std::io` and fred do.
/// Only an attempt that a time limit aborted, and a call that was refused before its first attempt, have no error of
/// their own; in all other cases the caller gets the error of the last attempt.
///
/// ```
/// use retry_runtime::Aborted;
///
/// #[derive(Debug)]
/// enum LookupError {
///     GaveUp(Aborted),
///     // …
/// }
///
/// impl From<Aborted> for LookupError {
///     fn from(aborted: Aborted) -> Self {
///         Self::GaveUp(aborted)
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aborted {
    /// The deadline of the whole call passed during an attempt.
    Deadline(Duration),
    /// The attempt took longer than the attempt timeout.
    AttemptTimeout(Duration),
    /// The call was cancelled before its first attempt.
    Cancelled,
    /// The circuit breaker rejected the first attempt.
    BreakerOpen(Rejected),
}

impl Aborted {
    /// Returns the text of the last error that the operation itself returned in this call, or `None` if there was none;
    /// only while the call converts this value with `From`.
    ///
    /// Keep it as the source of your error: a limit that aborts the third attempt does not explain why the first two failed.
    /// The conversion to [`io::Error`] keeps it.
    ///
    /// ```
    /// use retry_runtime::{Aborted, failure::PreviousError};
    ///
    /// #[derive(Debug)]
    /// enum LookupError {
    ///     GaveUp { aborted: Aborted, source: Option<PreviousError> },
    ///     // …
    /// }
    ///
    /// impl From<Aborted> for LookupError {
    ///     fn from(aborted: Aborted) -> Self {
    ///         Self::GaveUp { aborted, source: aborted.previous() }
    ///     }
    /// }
    /// ```
    pub fn previous(self) -> Option<PreviousError> {
        match self {
            Self::Deadline(_) | Self::AttemptTimeout(_) => PREVIOUS.with_borrow(Clone::clone),
            Self::Cancelled | Self::BreakerOpen(_) => None,
        }
    }

    /// Returns the `Aborted` from which an `io::Error` was converted.
    pub fn of(error: &io::Error) -> Option<Self> {
        let inside = error.get_ref()?;
        let after = || inside.downcast_ref::<AbortedAfter>().map(|after| &after.aborted);
        inside.downcast_ref::<Self>().or_else(after).copied()
    }

    /// Returns the reason of a call that ends this way.
    pub(crate) fn reason(self) -> GiveUpReason {
        match self {
            Self::Deadline(_) => GiveUpReason::Deadline,
            Self::AttemptTimeout(_) => GiveUpReason::AttemptTimeout,
            Self::Cancelled => GiveUpReason::Cancelled,
            Self::BreakerOpen(_) => GiveUpReason::BreakerOpen,
        }
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(limit) => {
                write!(formatter, "the call did not finish before its deadline of {limit:?}")
            }
            Self::AttemptTimeout(limit) => {
                write!(formatter, "the attempt did not finish within {limit:?}")
            }
            Self::Cancelled => {
                formatter.write_str("the call was cancelled before its first attempt")
            }
            Self::BreakerOpen(rejected) => rejected.fmt(formatter),
        }
    }
}

impl std::error::Error for Aborted {}

thread_local! {
    /// The last error of the call that converts an `Aborted` on this thread.
    static PREVIOUS: RefCell<Option<PreviousError>> = const { RefCell::new(None) };
}

/// The text of the last error before an operation was aborted; a text, because errors cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PreviousError(Arc<str>);

impl PreviousError {
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Makes an error available to conversions from `Aborted`.
    #[cold]
    pub(crate) fn during<T>(error: Option<Self>, convert: impl FnOnce() -> T) -> T {
        let _restore = Restore(PREVIOUS.replace(error));
        convert()
    }
}

/// Restores the outer error after a conversion, also if it panics.
struct Restore(Option<PreviousError>);

impl Drop for Restore {
    fn drop(&mut self) {
        PREVIOUS.set(self.0.take());
    }
}

impl fmt::Display for PreviousError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PreviousError {}

/// An `Aborted` with the last error before it as its source.
#[derive(Debug)]
struct AbortedAfter {
    aborted: Aborted,
    previous: PreviousError,
}

impl fmt::Display for AbortedAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.aborted.fmt(formatter)
    }
}

impl std::error::Error for AbortedAfter {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.previous)
    }
}

/// A time limit is [`io::ErrorKind::TimedOut`], an open breaker [`io::ErrorKind::ResourceBusy`], a cancelled call
/// [`io::ErrorKind::Other`]; the last error before a limit is the source.
impl From<Aborted> for io::Error {
    fn from(aborted: Aborted) -> Self {
        let kind = match aborted {
            Aborted::Deadline(_) | Aborted::AttemptTimeout(_) => io::ErrorKind::TimedOut,
            Aborted::BreakerOpen(_) => io::ErrorKind::ResourceBusy,
            Aborted::Cancelled => io::ErrorKind::Other,
        };
        match aborted.previous() {
            Some(previous) => Self::new(kind, AbortedAfter { aborted, previous }),
            None => Self::new(kind, aborted),
        }
    }
}

/// An error type that can represent an aborted call; implemented for every type with `From<Aborted>`.
///
/// `L` is [`Aborted`] for calls that can be aborted, and [`Infallible`] for the others, which work with every error
/// type.
///
/// ```
/// use retry_runtime::{Aborted, failure::RepresentsAbort};
///
/// #[derive(Debug)]
/// enum OrderError {
///     Refused,
///     Aborted(Aborted),
/// }
///
/// impl From<Aborted> for OrderError {
///     fn from(aborted: Aborted) -> Self {
///         Self::Aborted(aborted)
///     }
/// }
///
/// /// Returns the error of a cancelled call.
/// fn out_of_time<E: RepresentsAbort<Aborted>>() -> E {
///     E::represent(Aborted::Cancelled)
/// }
/// assert!(matches!(out_of_time(), OrderError::Aborted(_)));
/// # let _ = OrderError::Refused;
/// ```
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot represent a call that is aborted",
    label = "`{Self}` does not implement `From<Aborted>`",
    note = "a call that is aborted by `deadline`, `attempt_timeout`, `breaker` or `cancel` has no error of its own; implement `From<retry_runtime::Aborted>` for `{Self}` if the type is yours",
    note = "for a type from another crate, return an error type of your own that can hold both and convert into it in the body (`?` or `map_err`), or use `retry_for`, which lets a running attempt finish"
)]
pub trait RepresentsAbort<L> {
    /// Converts `limit`, which aborted the call, into an error.
    fn represent(limit: L) -> Self;
}

impl<E> RepresentsAbort<Infallible> for E {
    #[inline]
    fn represent(limit: Infallible) -> Self {
        match limit {}
    }
}

// Without this, rustc names `From`, which does not explain what the conversion is for.
#[diagnostic::do_not_recommend]
impl<E: From<Aborted>> RepresentsAbort<Aborted> for E {
    fn represent(limit: Aborted) -> Self {
        limit.into()
    }
}
