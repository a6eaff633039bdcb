//! Failed attempts: what an error proves, and what hooks and policies see.

pub(crate) mod aborted;
pub(crate) mod classify;
pub(crate) mod cost;
pub(crate) mod info;
mod io_error;
mod reason;
pub(crate) mod rejected;

pub use self::{
    aborted::{Aborted, PreviousError, RepresentsAbort},
    classify::{Classify, Disposition},
    info::FailureInfo,
    reason::GiveUpReason,
};

use std::{fmt, ops::Deref, time::Duration};

/// An attempt that is about to begin, as the `before` hook sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) number: u32,
    pub(crate) elapsed: Duration,
}

impl Attempt {
    /// Returns the number of the attempt, counted from 1; it stays at [`u32::MAX`] beyond that.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns whether this attempt is a retry.
    pub fn is_retry(&self) -> bool {
        self.number > 1
    }

    /// Returns the time since the call began; zero for the first attempt.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// A failed attempt, as policies and hooks see it.
///
/// ```
/// use retry_runtime::{Failure, RetryPolicy};
/// use std::{cell::RefCell, io, time::Duration};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let log = RefCell::new(Vec::new());
/// let result: io::Result<()> = RetryPolicy::constant(Duration::ZERO)
///     .retries(1)
///     .retry(async || Err(io::ErrorKind::ConnectionRefused.into()))
///     .on_failure(async |failure| log.borrow_mut().push(format!("attempt {}", failure.attempt())))
///     .await;
/// assert!(result.is_err());
/// assert_eq!(*log.borrow(), ["attempt 1"]);
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub struct Failure<'a, E> {
    pub(crate) operation: &'static str,
    pub(crate) attempt: u32,
    pub(crate) elapsed: Duration,
    pub(crate) delay: Duration,
    pub(crate) error: Option<&'a E>,
    pub(crate) aborted: Option<Aborted>,
    /// How long the attempt ran, if a policy needs to know.
    pub(crate) ran: Option<Duration>,
}

impl<'a, E> Failure<'a, E> {
    /// Returns the name of the operation: that of the annotated function, or the one set with `name`.
    ///
    /// Empty for a call without a name, and for policies.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns the number of the attempt that failed, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the time since the call began.
    ///
    /// A call reads the clock only if it has a hook, a time limit or a guard that needs it; in other calls, policies see
    /// zero.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the delay before the next attempt; zero if none follows, or none is decided yet.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Returns the operation's error, or `None` if it returned a value that `on_ok` retries.
    pub fn error(&self) -> Option<&'a E> {
        self.error
    }

    /// Returns what aborted the attempt, or refused the first attempt, if anything did.
    pub fn aborted(&self) -> Option<Aborted> {
        self.aborted
    }

    /// Returns what the error proves about the attempt.
    ///
    /// An attempt that a time limit aborted is [`Disposition::Unknown`], whatever its error type says.
    /// A refused attempt is [`Disposition::NotExecuted`], and so is a value that `on_ok` retries, because polling means
    /// asking again.
    pub fn disposition(&self) -> Disposition
    where
        E: Classify,
    {
        match (self.aborted, self.error) {
            (None, None) | (Some(Aborted::Cancelled | Aborted::BreakerOpen(_)), _) => {
                Disposition::NotExecuted
            }
            (Some(Aborted::Deadline(_) | Aborted::AttemptTimeout(_)), _) => Disposition::Unknown,
            (None, Some(error)) => error.disposition(),
        }
    }
}

impl<E> Clone for Failure<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Failure<'_, E> {}

impl<E: fmt::Debug> fmt::Debug for Failure<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Failure")
            .field("attempt", &self.attempt)
            .field("elapsed", &self.elapsed)
            .field("delay", &self.delay)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<E: fmt::Display> fmt::Display for Failure<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            Some(error) => write!(
                formatter,
                "attempt {} failed after {:?}: {error}",
                self.attempt, self.elapsed
            ),
            None => write!(
                formatter,
                "attempt {} returned a value to retry after {:?}",
                self.attempt, self.elapsed
            ),
        }
    }
}

/// The last failure of a call, and the [`GiveUpReason`] why no attempt follows, as the `on_give_up` hook sees them.
pub struct GiveUp<'a, E> {
    pub(crate) failure: Failure<'a, E>,
    pub(crate) reason: GiveUpReason,
    pub(crate) previous: Option<PreviousError>,
}

impl<E> GiveUp<'_, E> {
    /// Returns the last error before an attempt that a time limit aborted; `None` if the last attempt was not aborted, or
    /// was the first.
    pub fn previous(&self) -> Option<&PreviousError> {
        self.previous.as_ref()
    }

    /// Returns why no attempt follows.
    pub fn reason(&self) -> GiveUpReason {
        self.reason
    }
}

impl<'a, E> Deref for GiveUp<'a, E> {
    type Target = Failure<'a, E>;

    fn deref(&self) -> &Self::Target {
        &self.failure
    }
}

impl<E: fmt::Debug> fmt::Debug for GiveUp<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GiveUp")
            .field("failure", &self.failure)
            .field("reason", &self.reason)
            .finish()
    }
}

impl<E: fmt::Display> fmt::Display for GiveUp<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; gave up: {}", self.failure, self.reason)
    }
}
