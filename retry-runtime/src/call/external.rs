//! Calls whose attempts run elsewhere, in a client with its own timeouts.

use std::fmt;

use tokio::time::Instant;

use crate::{
    call::{Call, Failed, scope, succeeded_after_retry},
    clock::{Clock, guarded::GuardedClock, timer::Timer},
    failure::{aborted::Aborted, cost::Cost},
    overload::Budget,
    policy::NoRetry,
    telemetry::{self, Ending, name::Name},
};

impl<S, C: Clock, N: Name> Call<S, C, N> {
    /// Pays for the retries from a budget, unless the policy brings its own.
    pub(crate) fn pay_from(&mut self, budget: impl FnOnce() -> Budget) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.pay_from(budget);
        }
    }

    /// Returns when the call must end.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    /// Begins an attempt that does not run here.
    ///
    /// # Errors
    ///
    /// Returns why a first attempt is refused.
    pub(crate) fn admit(&mut self) -> Result<(), Aborted> {
        let number = self.attempt();
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.begin(number))
    }

    /// Notes that its timeout aborted the attempt, which therefore does not count as healthy.
    pub(crate) fn was_cut(&mut self) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.was_cut();
        }
    }

    /// Keeps the text of an error for the events that follow.
    pub(crate) fn explain_as(&mut self, name: N, error: &impl fmt::Display)
    where
        S: Default,
    {
        let message = telemetry::message(|| error.to_string());
        self.past(name).texts.explain(message, None);
    }

    /// Ends a call whose answer is that there is nothing to return.
    pub(crate) fn found_nothing(&mut self, name: N) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.succeeded();
        }
        #[cfg(feature = "metrics")]
        {
            self.open = None;
        }
        match self.past.take() {
            Some(past) => succeeded_after_retry(&past, &self.clock, "empty"),
            None => telemetry::empty_at_once(name),
        }
    }

    /// Notes a failure that is never retried, whatever the policy.
    pub(crate) fn forbid(&mut self, name: N, stop: NoRetry, ending: Ending)
    where
        S: Default,
    {
        self.past(name).ending = ending;
        if let Some(guarding) = self.clock.guarding() {
            // No attempt follows, so the guards have nothing to refuse.
            let _ = guarding.failed(&Err(stop), Cost::Free, false);
        }
    }
}

impl<S, N: Name> Call<S, GuardedClock<Timer>, N> {
    /// Sets the start of a call that is created only after its first failure.
    pub(crate) fn since(mut self, begin: Instant) -> Self {
        self.clock.since(begin);
        self
    }
}

impl<K> Failed<K> {
    /// Treats an outcome as a failure.
    pub(crate) fn with(kept: K) -> Self {
        // A command retries nothing inside; any note is of another call on this thread.
        let _ = scope::was_retried_inside();
        Self { kept, aborted: None }
    }
}
