use std::time::Duration;

use crate::failure::{GiveUpReason, info::FailureInfo};

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Another attempt, after a delay.
    Retry(RetryDelay),
    /// No other attempt.
    GiveUp(NoRetry),
}

impl Decision {
    /// Returns the decision to try again after `delay`.
    pub fn retry_after(delay: Duration) -> Self {
        Self::Retry(RetryDelay { delay, start_before: None, info: FailureInfo::NONE })
    }

    /// Returns the decision to end the call.
    pub fn give_up(reason: GiveUpReason) -> Self {
        Self::GiveUp(NoRetry { reason, info: FailureInfo::NONE })
    }
}

/// The end of a call, and why no attempt follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRetry {
    pub(crate) reason: GiveUpReason,
    pub(crate) info: FailureInfo,
}

impl NoRetry {
    /// Returns why no attempt follows.
    pub fn reason(&self) -> GiveUpReason {
        self.reason
    }
}

/// The delay before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryDelay {
    pub(crate) delay: Duration,
    // Since the start of the call. Kept beside the delay because a hook may take longer than the deadline leaves.
    pub(crate) start_before: Option<Duration>,
    pub(crate) info: FailureInfo,
}

impl RetryDelay {
    /// Returns how long to wait; a delay of zero still yields to other tasks.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Replaces the delay, and keeps everything else: for a policy that changes the delays of another.
    ///
    /// ```
    /// use retry_runtime::{Failure, backoff::Random, policy::{Decide, Decision, Limits, Policy}};
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
    ///             Decision::Retry(retry) => {
    ///                 Decision::Retry(retry.with_delay(retry.delay().min(Duration::from_secs(1))))
    ///             }
    ///             give_up => give_up,
    ///         }
    ///     }
    /// }
    /// ```
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Ends the call instead.
    pub(crate) fn stop(&self, reason: GiveUpReason) -> NoRetry {
        NoRetry { reason, info: self.info }
    }

    /// Returns the time after the start of the call from which on the next attempt would be too late, if there is a limit.
    pub fn start_before(&self) -> Option<Duration> {
        self.start_before
    }
}
