use super::{
    breaker::CircuitBreaker,
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
