//! Calls whose attempts are run elsewhere, by a client that has its own timeouts.

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

    /// Returns when the call has to end.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    /// Begins an attempt that is not run here.
    ///
    /// # Errors
    ///
    /// Returns why a first attempt is refused.
    pub(crate) fn admit(&mut self) -> Result<(), Aborted> {
        let number = self.attempt();
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.begin(number))
    }

    /// Notes that the attempt was aborted by its timeout, which is not to be taken for good health.
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

    /// Ends a call that was answered, although there is nothing to return.
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

    /// Notes a failure after which no policy is asked; before the first attempt it is refused.
    pub(crate) fn forbid(&mut self, name: N, stop: NoRetry, ending: Ending)
    where
        S: Default,
    {
        self.past(name).ending = ending;
        if let Some(guarding) = self.clock.guarding() {
            // Nothing follows, so nothing is refused.
            let _ = guarding.failed(&Err(stop), Cost::Free, false);
        }
    }
}

impl<S, N: Name> Call<S, GuardedClock<Timer>, N> {
    /// Tells when a call began that is started only after its first failure.
    pub(crate) fn since(mut self, begin: Instant) -> Self {
        self.clock.since(begin);
        self
    }
}

impl<K> Failed<K> {
    /// Takes an outcome for a failure.
    pub(crate) fn with(kept: K) -> Self {
        // A command retries nothing inside; what is noted is of another call that this thread ran.
        let _ = scope::was_retried_inside();
        Self { kept, aborted: None }
    }
}
