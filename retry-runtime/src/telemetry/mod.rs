//! Events and metrics of calls.
//!
//! Every failed attempt emits an event, and every call that failed at least once emits exactly one final event.
//! Metrics count all calls.
//! Neither contains arguments or values of the operation; events contain the texts of errors, unless
//! [`hide_error_messages`] was called.
//!
//! An event belongs to the span in which the caller awaits.

pub(crate) mod name;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

#[cfg(feature = "tracing")]
use crate::failure::classify::Disposition;
use crate::{
    failure::GiveUpReason,
    policy::{NoRetry, RetryDelay},
    telemetry::name::Name,
    testing,
};

/// An attempt of a call that failed at least once, as events describe it.
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only events say all of it"))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) operation: &'static str,
    pub(crate) attempt: u32,
    /// Since the call began, if its clock was read at that time.
    pub(crate) elapsed: Option<Duration>,
    pub(crate) ending: Ending,
    /// The text of the error, if events show it.
    pub(crate) message: Option<&'a str>,
    pub(crate) record: testing::Record,
}

/// How an attempt without success ended.
///
/// Not an `enum`, for the same reason as for `ended` in `call::Past`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending(u8);

impl Ending {
    /// It failed.
    pub(crate) const FAILED: Self = Self(0);
    /// It was not made: the breaker was open, or the call was cancelled.
    pub(crate) const REFUSED: Self = Self(1);
    /// It returned a value that is not wanted yet.
    pub(crate) const PENDING: Self = Self(2);
}

static HIDES_ERRORS: AtomicBool = AtomicBool::new(false);

/// Leaves the texts of errors out of all later events of the process, because they can contain secrets.
///
/// Events still show the class of each error.
///
/// ```
/// retry_runtime::telemetry::hide_error_messages(); // once, at the start of `main`
/// ```
pub fn hide_error_messages() {
    HIDES_ERRORS.store(true, Ordering::Relaxed);
}

/// Returns the text of an error for events, if a subscriber takes them.
pub(crate) fn message(error: impl FnOnce() -> String) -> Option<String> {
    #[cfg(feature = "tracing")]
    let is_read = tracing::enabled!(target: "retry_runtime", tracing::Level::ERROR);
    #[cfg(not(feature = "tracing"))]
    let is_read = false;
    let shows = is_read && !HIDES_ERRORS.load(Ordering::Relaxed);
    shows.then(error)
}

#[cfg(feature = "tracing")]
fn said(disposition: Option<Disposition>) -> Option<&'static str> {
    disposition.map(|disposition| match disposition {
        Disposition::NotExecuted => "not_executed",
        Disposition::Unknown => "unknown",
        Disposition::Permanent => "permanent",
    })
}

/// Counts a call that succeeded at its first attempt: the hot path, without an event.
#[inline]
pub(crate) fn succeeded_at_once(operation: impl Name) {
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation.text(), "first_attempt", "success");
    let _ = operation;
}

/// Counts a command that found nothing at its first attempt, while it blocked.
#[cfg(feature = "fred")]
pub(crate) fn empty_at_once(operation: impl Name) {
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation.text(), "first_attempt", "empty");
    let _ = operation;
}

/// Counts a command that was dropped in its first attempt.
#[cfg(feature = "fred")]
#[cold]
pub(crate) fn dropped_at_once(operation: impl Name) {
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation.text(), "first_attempt", "cancelled");
    let _ = operation;
}

/// Counts a call that ended in its first attempt without an outcome.
#[cfg(feature = "metrics")]
pub(crate) fn ended_midway(operation: impl Name, outcome: &'static str) {
    metrics_facade::call(operation.text(), "first_attempt", outcome);
}

/// Reports that an attempt failed and another follows.
pub(crate) fn retrying(told: Told<'_>, retry: &RetryDelay) {
    let Told { operation, attempt, record, .. } = told;
    #[cfg(feature = "tracing")]
    {
        macro_rules! tell {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: "retry_runtime",
                    operation,
                    attempt,
                    delay = ?retry.delay,
                    elapsed = told.elapsed.map(tracing::field::debug),
                    disposition = said(retry.info.disposition),
                    error.class = retry.info.class,
                    error.message = told.message,
                    $message
                )
            };
        }
        if told.ending == Ending::PENDING {
            tell!(debug, "value is not wanted yet, will ask again");
        } else {
            tell!(warn, "attempt failed, will retry");
        }
    }
    #[cfg(feature = "metrics")]
    metrics_facade::retry(operation, retry.delay, retry.info.class);
    testing::retried(record, operation, attempt, retry.delay);
}

/// Reports that a call succeeded after a failure; `outcome` is the label in metrics.
///
/// With a target of its own, because few users want to see it.
pub(crate) fn succeeded_after_retry(told: Told<'_>, outcome: &'static str) {
    let Told { operation, attempt, record, .. } = told;
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "retry_runtime::recovered",
        operation,
        attempt,
        elapsed = told.elapsed.map(tracing::field::debug),
        reason = "success_after_retry",
        "call succeeded after a retry"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation, "after_retry", outcome);
    let _ = outcome;
    testing::ended(record, operation, attempt, None);
}

/// Reports that a call ended without success.
pub(crate) fn gave_up(told: Told<'_>, end: &NoRetry) {
    let Told { operation, attempt, record, .. } = told;
    #[cfg(feature = "tracing")]
    {
        macro_rules! tell {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: "retry_runtime",
                    operation,
                    attempt,
                    elapsed = told.elapsed.map(tracing::field::debug),
                    disposition = said(end.info.disposition),
                    error.class = end.info.class,
                    error.message = told.message,
                    reason = end.reason.as_str(),
                    $message
                )
            };
        }
        match (told.ending, end.reason) {
            (Ending::REFUSED, _) => tell!(debug, "call was refused"),
            (Ending::PENDING, _) => tell!(info, "call ended with a value that is not wanted yet"),
            (_, GiveUpReason::Cancelled) => tell!(info, "call was cancelled"),
            // The other call reports the failure.
            (_, GiveUpReason::Nested) => tell!(debug, "call left its retries to another"),
            (_, GiveUpReason::NotRetryable) if attempt == 1 && is_answer(end) => {
                tell!(debug, "call was answered with an error");
            }
            (_, _) => tell!(error, "call failed"),
        }
    }
    #[cfg(feature = "metrics")]
    {
        let outcome = match (told.ending, end.reason) {
            (Ending::PENDING, _) => "pending",
            (_, GiveUpReason::Cancelled) => "cancelled",
            _ => "failure",
        };
        metrics_facade::call(operation, metrics_facade::attempts(attempt), outcome);
        metrics_facade::refused(operation, end.reason);
    }
    testing::ended(record, operation, attempt, Some(end.reason));
}

/// Returns whether an error can be an ordinary answer, such as "not found".
#[cfg(feature = "tracing")]
fn is_answer(end: &NoRetry) -> bool {
    matches!(end.info.disposition, None | Some(Disposition::Permanent))
}

/// Reports that a call was dropped after a failure.
pub(crate) fn dropped(told: Told<'_>) {
    let Told { operation, attempt, record, .. } = told;
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "retry_runtime",
        operation,
        attempt,
        elapsed = told.elapsed.map(tracing::field::debug),
        reason = "cancelled",
        "call was dropped"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation, "after_retry", "cancelled");
    testing::ended(record, operation, attempt, Some(GiveUpReason::Cancelled));
}

/// Reports that an attempt after a failed one panicked.
pub(crate) fn panicked(told: Told<'_>) {
    let Told { operation, attempt, record, .. } = told;
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "retry_runtime",
        operation,
        attempt,
        elapsed = told.elapsed.map(tracing::field::debug),
        reason = "panicked",
        "call panicked"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation, "after_retry", "panicked");
    testing::ended(record, operation, attempt, Some(GiveUpReason::Panicked));
}

/// Reports that a call retries inside another that retries.
pub(crate) fn nested(operation: &'static str, enclosing_attempt: u32, together: Option<u32>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "retry_runtime",
        operation,
        enclosing_attempt,
        worst_case_attempts = together,
        "retries are nested, their attempts multiply"
    );
    let _ = (operation, enclosing_attempt, together);
}

/// Reports that a client which is already connected will not reconnect.
#[cfg(feature = "fred")]
pub(crate) fn never_reconnects() {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "retry_runtime",
        "the client is connected already and has no reconnect policy: after a lost connection every command ends with \
         its timeout; set a reconnect policy, or connect with `init` of the client that retries"
    );
}

/// Reports that a connection is lost; once, whatever follows.
#[cfg(feature = "fred")]
pub(crate) fn connection_lost(server: &impl std::fmt::Display, cause: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "retry_runtime", %server, cause, "connection lost");
    let _ = (server, cause);
}

/// Reports that a lost connection is back.
#[cfg(feature = "fred")]
pub(crate) fn connection_back(server: &str, lost_for: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "retry_runtime", server, lost_for = ?lost_for, "connection is back");
    let _ = (server, lost_for);
}

/// Metrics through the facade `metrics`; the guide documents their names.
#[cfg(feature = "metrics")]
mod metrics_facade {
    use std::time::Duration;

    use metrics::{counter, histogram};

    use crate::failure::GiveUpReason;

    pub(super) fn attempts(attempt: u32) -> &'static str {
        if attempt > 1 { "after_retry" } else { "first_attempt" }
    }

    pub(super) fn call(operation: &'static str, attempts: &'static str, outcome: &'static str) {
        counter!("retry.calls", "operation" => operation, "attempts" => attempts, "outcome" => outcome)
            .increment(1);
    }

    pub(super) fn retry(operation: &'static str, delay: Duration, class: &'static str) {
        counter!("retry.retries", "operation" => operation, "error.type" => class).increment(1);
        histogram!("retry.delay", "operation" => operation).record(delay);
    }

    /// Counts refusals by operation, because a refusal ends its call even if many calls share the budget or breaker.
    pub(super) fn refused(operation: &'static str, reason: GiveUpReason) {
        match reason {
            GiveUpReason::Budget => {
                counter!("retry.budget.refused", "operation" => operation).increment(1);
            }
            GiveUpReason::BreakerOpen => {
                counter!("retry.breaker.refused", "operation" => operation).increment(1);
            }
            _ => {}
        }
    }
}
