//! What this module tells, in one place so that its models can listen.

use std::borrow::Cow;

use super::circuit_state::CircuitState;
#[cfg(feature = "metrics")]
use super::publish::publish;

pub(super) use crate::telemetry::transition;

/// Shows the level of a budget.
pub(super) fn level(name: impl Fn() -> Cow<'static, str>, level: impl Fn() -> u32) {
    #[cfg(feature = "metrics")]
    publish(level, |level| crate::telemetry::level(name(), level));
    #[cfg(not(feature = "metrics"))]
    let _ = (name, level);
}

/// Shows the state of a circuit breaker.
pub(super) fn state(name: &'static str, state: impl Fn() -> CircuitState) {
    #[cfg(feature = "metrics")]
    publish(state, |state| crate::telemetry::state(name, state));
    #[cfg(not(feature = "metrics"))]
    let _ = (name, state);
}
