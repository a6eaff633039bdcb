use std::{sync::Arc, time::Duration};

use crate::failure::cost::Cost;

/// Says what an error means for the attempt that it ended.
///
/// The three values are the whole language of safe retries: whether a repeat can help, and whether it can do harm.
///
/// ```
/// use retry_runtime::{Classify, Disposition};
/// use std::io;
///
/// // Nothing reached the peer, so even a payment may be tried again.
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(refused.disposition(), Disposition::NotExecuted);
///
/// // The request may have been carried out: only an idempotent operation may be repeated.
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

/// Gives an error its [`Disposition`].
///
/// Without `on`, a call retries [`Disposition::NotExecuted`] always and [`Disposition::Unknown`] only if it is
/// declared idempotent.
/// Be conservative: where one error covers several truths, answer [`Disposition::Unknown`].
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
    /// Returns what this error says about the attempt that it ended.
    fn disposition(&self) -> Disposition;

    /// Returns the name of the kind of error for telemetry, empty unless overridden.
    ///
    /// One of few: it becomes a label of metrics.
    fn class(&self) -> &'static str {
        ""
    }

    /// Returns what a retry after this error costs a [`Budget`](crate::overload::Budget); [`Cost::Transient`] unless overridden.
    ///
    /// Answer [`Cost::Free`] for an attempt that provably never reached the server, and [`Cost::Throttling`] for one
    /// that the server turned away because it is busy.
    fn cost(&self) -> Cost {
        Cost::Transient
    }

    /// Returns how long the server asks to be left alone, as an HTTP `Retry-After` does; `None` unless overridden.
    ///
    /// The wait is at least as long as the policy says.
    /// A server that asks for more than five seconds beyond that, or than
    /// [`max_hint`](crate::policy::RetryPolicy::max_hint) allows, ends the call at once, and so does a wait that would pass the
    /// deadline.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Passes every question on to what is pointed to.
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
