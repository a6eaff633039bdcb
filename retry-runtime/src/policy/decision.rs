use std::time::Duration;

use crate::{advice::Advice, failure::Reason};

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Another attempt, after a pause.
    Retry(Pause),
    /// No other attempt.
    Stop(Stop),
}

impl Decision {
    /// Returns the decision to try again after `delay`.
    pub fn retry_after(delay: Duration) -> Self {
        Self::Retry(Pause { delay, start_before: None, advice: Advice::NONE })
    }

    /// Returns the decision to end the call.
    pub fn stop(reason: Reason) -> Self {
        Self::Stop(Stop { reason, advice: Advice::NONE })
    }
}

/// The end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub(crate) reason: Reason,
    pub(crate) advice: Advice,
}

impl Stop {
    /// Returns why no attempt follows.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// The wait before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    pub(crate) delay: Duration,
    // Since the start of the call. Kept beside the delay because a hook may take longer than the deadline leaves.
    pub(crate) start_before: Option<Duration>,
    pub(crate) advice: Advice,
}

impl Pause {
    /// Returns how long to wait; zero still lets other tasks have their turn.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Replaces the delay, and keeps what else is known: for a policy that changes the delays of another.
    ///
    /// ```
    /// use retry_runtime::{Decide, Decision, Failure, Limits, Policy, Random};
    /// use std::time::Duration;
    ///
    /// /// Caps the delays of any policy.
    /// struct Capped<P>(P);
    ///
    /// impl<P: Policy> Policy for Capped<P> {
    ///     type State = P::State;
    ///     type Timing = P::Timing;
    ///
    ///     fn limits(&self) -> Limits {
    ///         self.0.limits()
    ///     }
    /// }
    ///
    /// impl<E, R, P: Decide<E, R>> Decide<E, R> for Capped<P> {
    ///     fn decide(
    ///         &self,
    ///         failure: &Failure<'_, E>,
    ///         rule: &R,
    ///         state: &mut P::State,
    ///         random: &mut Random,
    ///     ) -> Decision {
    ///         match self.0.decide(failure, rule, state, random) {
    ///             Decision::Retry(pause) => {
    ///                 Decision::Retry(pause.with_delay(pause.delay().min(Duration::from_secs(1))))
    ///             }
    ///             stop => stop,
    ///         }
    ///     }
    /// }
    /// ```
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Ends the call instead.
    pub(crate) fn stop(&self, reason: Reason) -> Stop {
        Stop { reason, advice: self.advice }
    }

    /// Returns the time since the start of the call at which it is too late for the next attempt, if there is one.
    pub fn start_before(&self) -> Option<Duration> {
        self.start_before
    }
}
