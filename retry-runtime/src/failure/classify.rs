use std::{sync::Arc, time::Duration};

use crate::failure::cost::Cost;

/// What an error proves about the attempt that it ended.
///
/// The three values answer two questions: can a repeat help, and can it do harm?
///
/// ```
/// use retry_runtime::{Classify, Disposition};
/// use std::io;
///
/// // Nothing reached the peer, so even a payment may be tried again.
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(refused.disposition(), Disposition::NotExecuted);
///
/// // The server may have executed the request: repeat it only if the operation is idempotent.
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert_eq!(reset.disposition(), Disposition::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The attempt was rejected and had no effect; it may succeed later.
    NotExecuted,
    /// The attempt may have taken effect.
    Unknown,
    /// A repeat cannot help, or the effect is already there.
    Permanent,
}

/// Classifies errors by their [`Disposition`].
///
/// Without `on`, a call always retries [`Disposition::NotExecuted`], and [`Disposition::Unknown`] only if it is declared
/// idempotent.
/// Be conservative: if an error can have several causes, answer [`Disposition::Unknown`].
///
/// ```
/// use retry_runtime::{Classify, Disposition};
///
/// #[derive(Debug)]
/// enum PaymentError {
///     Overloaded,
///     ConnectionLost,
///     CardDeclined,
/// }
///
/// impl Classify for PaymentError {
///     fn disposition(&self) -> Disposition {
///         match self {
///             Self::Overloaded => Disposition::NotExecuted,
///             Self::ConnectionLost => Disposition::Unknown,
///             Self::CardDeclined => Disposition::Permanent,
///         }
///     }
/// }
/// # assert_eq!(PaymentError::CardDeclined.disposition(), Disposition::Permanent);
/// # assert_eq!(PaymentError::Overloaded.disposition(), Disposition::NotExecuted);
/// # assert_eq!(PaymentError::ConnectionLost.disposition(), Disposition::Unknown);
/// ```
#[diagnostic::on_unimplemented(
    message = "it is not known which errors of type `{Self}` may be retried",
    label = "`{Self}` does not implement `Classify`",
    note = "name the errors to retry: `on = |error| …`, or implement `retry_runtime::Classify` for `{Self}`"
)]
pub trait Classify {
    /// Returns what this error proves about the attempt that it ended.
    fn disposition(&self) -> Disposition;

    /// Returns the class of the error for telemetry; empty unless overridden.
    ///
    /// The class becomes a label of metrics, so use few different ones.
    fn class(&self) -> &'static str {
        ""
    }

    /// Returns what a retry after this error costs a [`Budget`](crate::overload::Budget); [`Cost::Transient`] unless overridden.
    ///
    /// Answer [`Cost::Free`] if the attempt provably never reached the server, and [`Cost::Throttling`] if the server
    /// rejected it because it is busy.
    fn cost(&self) -> Cost {
        Cost::Transient
    }

    /// Returns how long the server asks to be left alone, as HTTP's `Retry-After` does; `None` unless overridden.
    ///
    /// The call waits for the longer of this and the policy's delay.
    /// It ends at once if the hint exceeds the policy's delay by more than
    /// [`max_hint`](crate::policy::RetryPolicy::max_hint), 5 s by default, or if the wait would pass the deadline.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Implements `Classify` for pointers to an error.
macro_rules! pass_on {
    ($($pointer:ty),*) => {$(
        impl<E: Classify + ?Sized> Classify for $pointer {
            fn disposition(&self) -> Disposition {
                (**self).disposition()
            }

            fn class(&self) -> &'static str {
                (**self).class()
            }

            fn cost(&self) -> Cost {
                (**self).cost()
            }

            fn retry_after(&self) -> Option<Duration> {
                (**self).retry_after()
            }
        }
    )*};
}

pass_on!(&E, Box<E>, Arc<E>);
