use std::io;

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
}

/// Classifies by [`io::ErrorKind`]: refused and unreachable peers executed nothing, a lost or slow connection is
/// unknown, everything else is permanent.
impl Classify for io::Error {
    fn disposition(&self) -> Disposition {
        use io::ErrorKind as Kind;
        match self.kind() {
            Kind::ConnectionRefused
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::NotConnected
            | Kind::AddrInUse
            | Kind::ResourceBusy => Disposition::NotExecuted,
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::TimedOut
            | Kind::Interrupted
            | Kind::WouldBlock
            | Kind::UnexpectedEof => Disposition::Unknown,
            _ => Disposition::Permanent,
        }
    }
}

impl<E: Classify + ?Sized> Classify for &E {
    fn disposition(&self) -> Disposition {
        (**self).disposition()
    }
}

impl<E: Classify + ?Sized> Classify for Box<E> {
    fn disposition(&self) -> Disposition {
        (**self).disposition()
    }
}

impl<E: Classify + ?Sized> Classify for std::sync::Arc<E> {
    fn disposition(&self) -> Disposition {
        (**self).disposition()
    }
}
