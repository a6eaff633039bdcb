//! Calls whose attempts are run elsewhere, by a client that has its own timeouts.

use tokio::time::Instant;

use super::{
    call::{Call, Failed},
    name::Name,
    scope,
};
use crate::{Budget, Cost, Cut, Stop, drive::Clock};

impl<S, C: Clock, N: Name> Call<S, C, N> {
    /// Pays for the retries from a budget, unless the policy brings its own.
    pub(crate) fn pay_from(&mut self, budget: impl FnOnce() -> Budget) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.pay_from(budget);
        }
    }

    /// Returns when the call has to end.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    /// Begins an attempt that is not run here.
    ///
    /// # Errors
    ///
    /// Returns why a first attempt is refused.
    pub(crate) fn admit(&mut self) -> Result<(), Cut> {
        let number = self.attempt();
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.begin(number))
    }

    /// Notes that the attempt was cut by its timeout, which is not to be taken for good health.
    pub(crate) fn was_cut(&mut self) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.was_cut();
        }
    }

    /// Notes a failure after which no policy is asked.
    pub(crate) fn forbid(&mut self, name: N, stop: Stop)
    where
        S: Default,
    {
        self.past(name);
        if let Some(guarding) = self.clock.guarding() {
            // Nothing follows, so nothing is refused.
            let _ = guarding.failed(&Err(stop), Cost::Free, false);
        }
    }
}

impl<K> Failed<K> {
    /// Takes an outcome for a failure.
    pub(crate) fn with(kept: K) -> Self {
        // A command retries nothing inside; what is noted is of another call that this thread ran.
        let _ = scope::was_retried_inside();
        Self { kept, cut: None }
    }
}
