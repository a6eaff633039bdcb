use std::{fmt, io, time::Duration};

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

/// A time limit is [`io::ErrorKind::TimedOut`], an open breaker [`io::ErrorKind::ResourceBusy`], a cancelled call
/// [`io::ErrorKind::Other`].
impl From<Cut> for io::Error {
    fn from(cut: Cut) -> Self {
        let kind = match cut {
            Cut::Deadline(_) | Cut::AttemptTimeout(_) => io::ErrorKind::TimedOut,
            Cut::BreakerOpen(_) => io::ErrorKind::ResourceBusy,
            Cut::Cancelled => io::ErrorKind::Other,
        };
        Self::new(kind, cut)
    }
}
