//! What this module reports, in one place, so that the models can observe it.

use std::borrow::Cow;

use super::circuit_state::{CircuitState, Transition};
#[cfg(feature = "metrics")]
use super::publish::publish;

/// Reports that a circuit breaker changed its state.
///
/// Opening and closing are news, at `WARN`; probes that fail in between belong to the same outage.
pub(super) fn transition(transition: &Transition) {
    let Transition { name, from, to, calls, failures, disturbed } = transition;
    let (before, after) = (from.as_str(), to.as_str());
    #[cfg(feature = "tracing")]
    match (from, to) {
        (CircuitState::Closed, CircuitState::Open) => {
            tracing::warn!(
                target: "retry_runtime",
                breaker = name,
                from = before,
                to = after,
                failures,
                calls,
                "circuit breaker opened"
            );
        }
        (_, CircuitState::Closed) => tracing::warn!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            after = ?disturbed,
            "circuit breaker closed"
        ),
        (_, CircuitState::ForcedOpen) => tracing::warn!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker was forced open"
        ),
        (_, CircuitState::HalfOpen) => tracing::debug!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker probes the server"
        ),
        (_, CircuitState::Open) => tracing::debug!(
            target: "retry_runtime",
            breaker = name,
            from = before,
            to = after,
            "circuit breaker stays open"
        ),
    }
    let _ = (name, before, after, calls, failures, disturbed);
}

/// Publishes the level of a budget.
pub(super) fn level(name: impl Fn() -> Cow<'static, str>, level: impl Fn() -> u32) {
    #[cfg(feature = "metrics")]
    publish(level, |level| metrics::gauge!("retry.budget.level", "budget" => name()).set(level));
    #[cfg(not(feature = "metrics"))]
    let _ = (name, level);
}

/// Publishes the state of a circuit breaker.
pub(super) fn state(name: &'static str, state: impl Fn() -> CircuitState) {
    #[cfg(feature = "metrics")]
    publish(state, |state| {
        let state = match state {
            CircuitState::Closed => 0,
            CircuitState::HalfOpen => 1,
            CircuitState::Open | CircuitState::ForcedOpen => 2,
        };
        metrics::gauge!("retry.breaker.state", "breaker" => name).set(state);
    });
    #[cfg(not(feature = "metrics"))]
    let _ = (name, state);
}
