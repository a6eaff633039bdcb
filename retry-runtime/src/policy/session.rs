use std::time::Duration;

use super::{Decide, Decision, Policy};
use crate::{backoff::random::Random, failure::Failure};

/// The state of one call: the number of its attempt, and what its policy remembers.
///
/// A plain state machine without clock, timer or runtime: its caller supplies the elapsed time and the randomness.
/// The attribute and the closure form drive a session for you; use it directly to retry on another runtime, or to test a
/// policy.
///
/// ```
/// use retry_runtime::{
///     GiveUpReason, RetryPolicy, backoff::Random, policy::{ByDisposition, Decision, Session},
/// };
/// use std::{io, time::Duration};
///
/// let policy = RetryPolicy::constant(Duration::from_secs(1)).retries(1);
/// let rule = ByDisposition::default();
/// let error = io::Error::from(io::ErrorKind::ConnectionRefused);
/// let mut random = Random::seeded(0);
///
/// let mut session = Session::start(&policy);
/// assert_eq!(session.begin(), 1);
/// let failure = session.failure(&error, Duration::ZERO);
/// let decision = session.settle(&failure, &policy, &rule, &mut random);
/// assert!(matches!(decision, Decision::Retry(retry) if retry.delay() == Duration::from_secs(1)));
/// assert_eq!(session.begin(), 2);
/// let failure = session.failure(&error, Duration::from_secs(1));
/// let decision = session.settle(&failure, &policy, &rule, &mut random);
/// assert!(matches!(decision, Decision::GiveUp(end) if end.reason() == GiveUpReason::RetriesExhausted));
/// ```
#[derive(Debug)]
pub struct Session<S> {
    attempt: u32,
    state: S,
}

impl<S: Default> Session<S> {
    /// Starts a call under `policy`, before its first attempt.
    pub fn start<P: Policy<State = S>>(_: &P) -> Self {
        Self::new()
    }

    pub(crate) fn new() -> Self {
        Self { attempt: 0, state: S::default() }
    }
}

impl<S> Session<S> {
    /// Begins the next attempt and returns its number, counted from 1; it stays at [`u32::MAX`] beyond that.
    pub fn begin(&mut self) -> u32 {
        self.attempt = self.attempt.saturating_add(1);
        self.attempt
    }

    /// Returns the number of the last attempt that began; zero before the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Describes the failure of the current attempt with `error`, `elapsed` after the start of the call.
    pub fn failure<'a, E>(&self, error: &'a E, elapsed: Duration) -> Failure<'a, E> {
        Failure {
            operation: "",
            attempt: self.attempt,
            elapsed,
            delay: Duration::ZERO,
            error: Some(error),
            aborted: None,
            ran: None,
        }
    }

    /// Forgets the failures so far; the attempts are still counted.
    pub fn reset(&mut self)
    where
        S: Default,
    {
        self.state = S::default();
    }

    /// Counts a failed attempt, and returns whether another follows, and after which delay.
    pub fn settle<E, P, R>(
        &mut self,
        failure: &Failure<'_, E>,
        policy: &P,
        rule: &R,
        random: &mut Random,
    ) -> Decision
    where
        P: Decide<E, R, State = S>,
    {
        policy.decide(failure, rule, &mut self.state, random)
    }
}
