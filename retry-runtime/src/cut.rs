use std::{cell::RefCell, fmt, io, sync::Arc, time::Duration};

use crate::{Reason, Rejected};

/// Why a call or an attempt ended without an error of the operation's own.
///
/// An error type that can stand for it implements `From<Cut>`; the errors of `std::io` and fred do.
/// After a failed attempt the caller gets that attempt's error instead; only an attempt that a time limit cut, and a
/// call that was refused before its first attempt, have none.
///
/// ```
/// use retry_runtime::Cut;
///
/// #[derive(Debug)]
/// enum LookupError {
///     GaveUp(Cut),
///     // …
/// }
///
/// impl From<Cut> for LookupError {
///     fn from(cut: Cut) -> Self {
///         Self::GaveUp(cut)
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// The deadline of the whole call passed during an attempt.
    Deadline(Duration),
    /// The attempt took longer than one may.
    AttemptTimeout(Duration),
    /// The call was cancelled before its first attempt.
    Cancelled,
    /// The circuit breaker let no first attempt through.
    BreakerOpen(Rejected),
}

impl Cut {
    /// Returns the text of the last error of the call that was one of the operation's own, while the call converts this
    /// value by `From`; `None` if there was none.
    ///
    /// To be kept as the source: a limit that cuts the third attempt says nothing of what was wrong with the first two.
    /// The conversion to [`io::Error`] does so.
    ///
    /// ```
    /// use retry_runtime::{Cut, PreviousError};
    ///
    /// #[derive(Debug)]
    /// enum LookupError {
    ///     GaveUp { cut: Cut, source: Option<PreviousError> },
    ///     // …
    /// }
    ///
    /// impl From<Cut> for LookupError {
    ///     fn from(cut: Cut) -> Self {
    ///         Self::GaveUp { cut, source: cut.previous() }
    ///     }
    /// }
    /// ```
    pub fn previous(self) -> Option<PreviousError> {
        match self {
            Self::Deadline(_) | Self::AttemptTimeout(_) => PREVIOUS.with_borrow(Clone::clone),
            Self::Cancelled | Self::BreakerOpen(_) => None,
        }
    }

    /// Returns the cut that an `io::Error` was made of.
    pub fn of(error: &io::Error) -> Option<Self> {
        let inside = error.get_ref()?;
        let after = || inside.downcast_ref::<CutAfter>().map(|after| &after.cut);
        inside.downcast_ref::<Self>().or_else(after).copied()
    }

    /// Returns the reason of a call that ends with it.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Deadline(_) => Reason::Deadline,
            Self::AttemptTimeout(_) => Reason::AttemptTimeout,
            Self::Cancelled => Reason::Cancelled,
            Self::BreakerOpen(_) => Reason::BreakerOpen,
        }
    }
}

impl fmt::Display for Cut {
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

impl std::error::Error for Cut {}

thread_local! {
    /// The last error of the call that converts a cut on this thread.
    static PREVIOUS: RefCell<Option<PreviousError>> = const { RefCell::new(None) };
}

/// What an operation last failed with before it was cut, by its text: errors cannot be copied, and hardly any is kept
/// for long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PreviousError(Arc<str>);

impl PreviousError {
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Lets conversions of cuts find an error.
    #[cold]
    pub(crate) fn during<T>(error: Option<Self>, convert: impl FnOnce() -> T) -> T {
        let _restore = Restore(PREVIOUS.replace(error));
        convert()
    }
}

/// Ends the conversion, also if it panics.
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

/// A cut, and the last error before it as its source.
#[derive(Debug)]
struct CutAfter {
    cut: Cut,
    previous: PreviousError,
}

impl fmt::Display for CutAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cut.fmt(formatter)
    }
}

impl std::error::Error for CutAfter {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.previous)
    }
}

/// A time limit is [`io::ErrorKind::TimedOut`], an open breaker [`io::ErrorKind::ResourceBusy`], a cancelled call
/// [`io::ErrorKind::Other`]; the last error before a limit is the source.
impl From<Cut> for io::Error {
    fn from(cut: Cut) -> Self {
        let kind = match cut {
            Cut::Deadline(_) | Cut::AttemptTimeout(_) => io::ErrorKind::TimedOut,
            Cut::BreakerOpen(_) => io::ErrorKind::ResourceBusy,
            Cut::Cancelled => io::ErrorKind::Other,
        };
        match cut.previous() {
            Some(previous) => Self::new(kind, CutAfter { cut, previous }),
            None => Self::new(kind, cut),
        }
    }
}
