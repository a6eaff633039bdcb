use super::{
    breaker::CircuitBreaker,
    phase::{Phase, Probes, State},
};

/// Permission to make one call; give it back to the breaker with the outcome.
///
/// Dropping it reports nothing: for a call that was cancelled, or whose failure proves nothing about the server.
#[derive(Debug)]
#[must_use = "a dropped admission reports nothing to the breaker"]
pub struct Admission {
    pub(super) generation: u32,
    // Only a probe has a place to give back, so other calls need not count references.
    pub(super) probe: Option<CircuitBreaker>,
}

impl Admission {
    /// Returns whether the call is a probe, whose outcome decides the next state of the breaker.
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// Returns the state that admitted a call other than a probe.
    pub(super) fn regular(&self) -> State {
        State { generation: self.generation, phase: Phase::Closed }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(breaker) = &self.probe {
            // The breaker is half open before and after: there is no transition to report.
            let _ = breaker.settle(self.generation, |state, probes| {
                let running = probes.running - 1;
                state.still(Phase::HalfOpen(Probes { running, ..probes }))
            });
        }
    }
}
