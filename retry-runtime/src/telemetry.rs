//! What a call tells of itself: an event for every failed attempt and for the end of a call that failed once, and
//! metrics. Nothing of the operation's arguments or values is in it.
//!
//! An event goes to the span in which the caller awaits.

use std::time::Duration;

use crate::{
    Disposition, Pause, Reason, Stop,
    drive::{Enclosing, name::Name},
    overload::Transition,
    testing,
};

/// An attempt of a call that failed at least once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) operation: &'static str,
    pub(crate) attempt: u32,
    pub(crate) record: testing::Record,
}

fn said(disposition: Option<Disposition>) -> &'static str {
    match disposition {
        None => "",
        Some(Disposition::NotExecuted) => "not_executed",
        Some(Disposition::Unknown) => "unknown",
        Some(Disposition::Permanent) => "permanent",
    }
}

/// Counts a call that succeeded at its first attempt: the hot path, without an event.
#[inline]
pub(crate) fn succeeded_at_once(operation: impl Name) {
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation.text(), "first_attempt", "success");
    let _ = operation;
}

/// Tells that an attempt failed and another follows.
pub(crate) fn retrying(told: Told, elapsed: Duration, pause: &Pause) {
    let Told { operation, attempt, record } = told;
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "retry_runtime",
        operation,
        attempt,
        delay = ?pause.delay,
        elapsed = ?elapsed,
        disposition = said(pause.advice.disposition),
        error.class = pause.advice.class,
        "attempt failed, will retry"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::retry(operation, pause.delay, pause.advice.class);
    let _ = (elapsed, said(pause.advice.disposition));
    testing::retried(record, operation, attempt, pause.delay);
}

/// Tells that a call succeeded after it failed.
pub(crate) fn succeeded_after_retry(told: Told, elapsed: Duration) {
    let Told { operation, attempt, record } = told;
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "retry_runtime",
        operation,
        attempt,
        elapsed = ?elapsed,
        reason = "success_after_retry",
        "call succeeded after a retry"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation, "after_retry", "success");
    let _ = elapsed;
    testing::ended(record, operation, attempt, None);
}

/// Tells that a call failed for good.
pub(crate) fn gave_up(told: Told, elapsed: Duration, stop: &Stop) {
    let Told { operation, attempt, record } = told;
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "retry_runtime",
        operation,
        attempt,
        elapsed = ?elapsed,
        disposition = said(stop.advice.disposition),
        error.class = stop.advice.class,
        reason = stop.reason.as_str(),
        "call failed"
    );
    #[cfg(feature = "metrics")]
    {
        metrics_facade::call(operation, metrics_facade::attempts(attempt), "failure");
        metrics_facade::refused(operation, stop.reason);
    }
    let _ = elapsed;
    testing::ended(record, operation, attempt, Some(stop.reason));
}

/// Tells that a call was dropped after it failed.
pub(crate) fn dropped(told: Told, elapsed: Duration) {
    let Told { operation, attempt, record } = told;
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "retry_runtime",
        operation,
        attempt,
        elapsed = ?elapsed,
        reason = "cancelled",
        "call was dropped"
    );
    #[cfg(feature = "metrics")]
    metrics_facade::call(operation, "after_retry", "cancelled");
    let _ = elapsed;
    testing::ended(record, operation, attempt, Some(Reason::Cancelled));
}

/// Tells that a call retries inside another that retries.
pub(crate) fn nested(operation: &'static str, enclosing: &Enclosing, together: Option<u32>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "retry_runtime",
        operation,
        enclosing_attempt = enclosing.attempt,
        worst_case_attempts = together,
        "retries are nested, their attempts multiply"
    );
    let _ = (operation, enclosing.attempt, together);
}

/// Tells that a circuit breaker went from one state to another.
///
/// That it opens and that it closes is news; probes that fail meanwhile are the same outage.
pub(crate) fn transition(transition: &Transition) {
    let Transition { name, from, to, calls, failures, disturbed } = transition;
    let (before, after) = (from.as_str(), to.as_str());
    #[cfg(feature = "tracing")]
    match (from, to) {
        (crate::CircuitState::Closed, crate::CircuitState::Open) => tracing::warn!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            failures,
            calls,
            "circuit breaker opened"
        ),
        (_, crate::CircuitState::Closed) => tracing::warn!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            after = ?disturbed,
            "circuit breaker closed"
        ),
        (_, crate::CircuitState::ForcedOpen) => tracing::warn!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker was forced open"
        ),
        (_, crate::CircuitState::HalfOpen) => tracing::debug!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker probes the server"
        ),
        (_, crate::CircuitState::Open) => tracing::debug!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker stays open"
        ),
    }
    let _ = (name, before, after, calls, failures, disturbed);
}

/// Tells that a client which is connected already will not connect again.
#[cfg(feature = "fred")]
pub(crate) fn never_reconnects() {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "retry_runtime",
        "the client is connected already and has no reconnect policy: after a lost connection every command ends with \
         its timeout; set a reconnect policy, or connect with `init` of the client that retries"
    );
}

/// Tells that a connection is lost: once, whatever follows.
#[cfg(feature = "fred")]
pub(crate) fn connection_lost(server: &impl std::fmt::Display, cause: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "retry_runtime", %server, cause, "connection lost");
    let _ = (server, cause);
}

/// Tells that a connection is back that was lost.
#[cfg(feature = "fred")]
pub(crate) fn connection_back(server: &str, lost_for: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "retry_runtime", server, lost_for = ?lost_for, "connection is back");
    let _ = (server, lost_for);
}

#[cfg(feature = "metrics")]
pub(crate) use metrics_facade::{level, state};

/// Metrics through the facade `metrics`; the names are documented in the crate's documentation.
#[cfg(feature = "metrics")]
mod metrics_facade {
    use std::{borrow::Cow, time::Duration};

    use metrics::{counter, gauge, histogram};

    use crate::{CircuitState, Reason};

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

    /// A refusal ends its call, so that calls which share a budget or a breaker count their own.
    pub(super) fn refused(operation: &'static str, reason: Reason) {
        match reason {
            Reason::Budget => {
                counter!("retry.budget.refused", "operation" => operation).increment(1);
            }
            Reason::BreakerOpen => {
                counter!("retry.breaker.refused", "operation" => operation).increment(1);
            }
            _ => {}
        }
    }

    /// Shows the level of a budget.
    pub(crate) fn level(name: Cow<'static, str>, level: u32) {
        gauge!("retry.budget.level", "budget" => name).set(level);
    }

    /// Shows the state of a circuit breaker.
    pub(crate) fn state(name: &'static str, state: CircuitState) {
        let state = match state {
            CircuitState::Closed => 0,
            CircuitState::HalfOpen => 1,
            CircuitState::Open | CircuitState::ForcedOpen => 2,
        };
        gauge!("retry.breaker.state", "breaker" => name).set(state);
    }
}
