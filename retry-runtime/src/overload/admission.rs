use std::{fmt, time::Duration};

use super::{
    breaker::CircuitBreaker,
    breaker_builder::CircuitBreakerBuilder,
    phase::{Phase, Probes, State},
};

/// The leave to make one call; give it back to the breaker with the outcome.
///
/// Dropped, because the call was cancelled or its failure says nothing about the server, it is no verdict.
#[derive(Debug)]
#[must_use = "a dropped admission is no verdict"]
pub struct Admission {
    pub(super) generation: u32,
    // Only a probe has a place to give back, so that other calls do not count references.
    pub(super) probe: Option<CircuitBreaker>,
}

impl Admission {
    /// Tells whether the call is a probe, on whose outcome the breaker waits.
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// Returns the state that admitted a call which is no probe.
    pub(super) fn regular(&self) -> State {
        State { generation: self.generation, phase: Phase::Closed }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(breaker) = &self.probe {
            // Half open before and after: there is nothing to tell.
            let _ = breaker.settle(self.generation, |state, probes| {
                let running = probes.running - 1;
                state.still(Phase::HalfOpen(Probes { running, ..probes }))
            });
        }
    }
}

/// The circuit breaker lets no call through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rejected {
    /// The name of the breaker.
    pub breaker: &'static str,
    /// The time for which every call is certain to be rejected.
    ///
    /// Zero while probes are under way, because their outcome may let calls through at any moment: then wait as the
    /// backoff says.
    /// [`Duration::MAX`] of a breaker that is forced open.
    pub retry_in: Duration,
}

/// Prints the time in whole seconds, so that the texts of one outage are few: log tools group by them.
impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the circuit breaker ")?;
        if self.breaker != CircuitBreakerBuilder::UNNAMED {
            write!(formatter, "`{}` ", self.breaker)?;
        }
        match self.retry_in {
            Duration::ZERO => formatter.write_str("waits for its probes"),
            Duration::MAX => formatter.write_str("is held open"),
            left => match left.saturating_add(Duration::from_millis(500)).as_secs() {
                0 => formatter.write_str("is open for less than a second"),
                seconds => write!(formatter, "is open for another {seconds} s"),
            },
        }
    }
}

impl std::error::Error for Rejected {}
