//! The decision after a failure, in the order that [`Guarded`](crate::policy::Guarded) documents.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    call::{Call, ErrorIn, Over, Retrying, scope},
    clock::{Clock, outcome::Unsuccessful},
    failure::{
        Attempt, Failure, GiveUp, GiveUpReason, aborted::Aborted, cost::Cost, info::FailureInfo,
    },
    policy::{Decide, Decision, Nested, NoRetry, Policy, RetryDelay},
    telemetry::{self, Ending, name::Name},
    testing,
};

impl<S, C: Clock, N: Name> Call<S, C, N> {
    pub(crate) fn decide<E, P, R>(
        &mut self,
        name: N,
        error: Option<&E>,
        aborted: Option<Aborted>,
        ready: Result<(), GiveUpReason>,
        policy: &P,
        rule: &R,
    ) -> Result<RetryDelay, NoRetry>
    where
        S: Default,
        P: Decide<E, R, State = S>,
    {
        self.past(name);
        let decision = match self.ask(name, error, aborted, policy, rule) {
            Ok(pause) => ready
                .and_then(|()| self.check_nested(name, policy))
                .map(|()| pause)
                .map_err(|reason| pause.stop(reason)),
            stop => stop,
        };
        let polls = error.is_none() && aborted.is_none();
        self.past(name).ending = match aborted {
            // Only these refuse a first attempt.
            Some(Aborted::Cancelled | Aborted::BreakerOpen(_)) => Ending::REFUSED,
            _ if polls => Ending::PENDING,
            _ => Ending::FAILED,
        };
        let Some(guarding) = self.clock.guarding() else {
            return self.told(name, decision, aborted, polls);
        };
        let cost = match &decision {
            Ok(pause) if !polls => pause.info.cost,
            _ => Cost::Free,
        };
        let checked = guarding.failed(&decision, cost, polls);
        let decision =
            decision.and_then(|pause| checked.map(|()| pause).map_err(|reason| pause.stop(reason)));
        self.told(name, decision, aborted, polls)
    }

    /// Asks the policy and the deadline.
    fn ask<E, P, R>(
        &mut self,
        name: N,
        error: Option<&E>,
        aborted: Option<Aborted>,
        policy: &P,
        rule: &R,
    ) -> Result<RetryDelay, NoRetry>
    where
        S: Default,
        P: Decide<E, R, State = S>,
    {
        // The policy decides about failures of the operation; an attempt that took too long is one.
        let last = aborted.filter(|aborted| !matches!(aborted, Aborted::AttemptTimeout(_)));
        if let Some(aborted) = last {
            return Err(NoRetry { reason: aborted.reason(), info: FailureInfo::NONE });
        }
        let ran = self.clock.guarding().and_then(|guarding| guarding.ran());
        let failure = Failure { ran, ..self.describe(error, aborted, Duration::ZERO) };
        let session = &mut self.past(name).session;
        let decision =
            testing::with_random(|random| session.settle(&failure, policy, rule, random));
        let mut pause = match decision {
            Decision::Retry(pause) => pause,
            Decision::GiveUp(stop) => {
                let timed_out = matches!(aborted, Some(Aborted::AttemptTimeout(_)))
                    && matches!(
                        stop.reason,
                        GiveUpReason::NotRetryable | GiveUpReason::NotIdempotent
                    );
                return Err(if timed_out {
                    NoRetry { reason: GiveUpReason::AttemptTimeout, ..stop }
                } else {
                    stop
                });
            }
        };
        testing::limit(self.attempt(), &mut pause)?;
        self.check_time(&pause).map_err(|reason| pause.stop(reason))?;
        Ok(pause)
    }

    /// Checks which of two nested calls retries; reports once if both do.
    fn check_nested<P: Policy>(&mut self, name: N, policy: &P) -> Result<(), GiveUpReason> {
        let inside = scope::was_retried_inside();
        let nested = self.clock.guarding().map_or(Nested::Allow, |guarding| guarding.nested());
        if inside && nested == Nested::InnerOnly {
            return Err(GiveUpReason::Nested);
        }
        let enclosing = scope::enclosing();
        if enclosing.attempt == 0 {
            return Ok(());
        }
        if enclosing.nested == Nested::OuterOnly {
            return Err(GiveUpReason::Nested);
        }
        if self.attempt() == 1 && enclosing.nested == Nested::Allow {
            let together = enclosing.multiplied(policy.attempts());
            telemetry::nested(name.text(), enclosing.attempt, together);
        }
        Ok(())
    }

    /// Reports a failure that is retried; [`end`](Self::end) reports the end.
    fn told(
        &mut self,
        name: N,
        decision: Result<RetryDelay, NoRetry>,
        aborted: Option<Aborted>,
        polls: bool,
    ) -> Result<RetryDelay, NoRetry>
    where
        S: Default,
    {
        let decision = decision
            .map(|pause| RetryDelay { info: pause.info.classed(aborted, polls), ..pause })
            .map_err(|stop| NoRetry { info: stop.info.classed(aborted, polls), ..stop });
        if let Ok(pause) = &decision {
            let elapsed = self.clock.measured();
            telemetry::retrying(self.past(name).told(elapsed), pause);
        }
        decision
    }

    /// Ends the call without success.
    #[cold]
    pub(crate) fn end(&mut self, stop: NoRetry) {
        self.tell_end(stop);
        if let Some(past) = self.past.take() {
            scope::ended_inside(past.session.attempt() > 1);
        }
    }

    fn tell_end(&mut self, stop: NoRetry) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.call_off();
        }
        let elapsed = self.clock.measured();
        if let Some(past) = &mut self.past {
            past.ended = 1;
            telemetry::gave_up(past.told(elapsed), &stop);
        }
    }

    /// Describes the attempt that is about to begin, for the `before` hook.
    pub fn upcoming(&self) -> Attempt {
        let number = self.past.as_ref().map_or(1, |past| past.session.attempt().saturating_add(1));
        let elapsed = if number == 1 { Duration::ZERO } else { self.clock.elapsed() };
        Attempt { number, elapsed }
    }

    /// Describes a failure that is retried, for the `on_failure` hook.
    pub fn failure<'a, K: Unsuccessful>(&self, retry: &'a Retrying<K>) -> Failure<'a, ErrorIn<K>> {
        self.describe(retry.kept.error(), retry.aborted, retry.pause.delay)
    }

    /// Ends a call with hooks without success, and describes its last failure for the `on_give_up` hook.
    pub fn give_up<'a, K: Unsuccessful>(&mut self, over: &'a Over<K>) -> GiveUp<'a, ErrorIn<K>> {
        let failure = self.describe(over.kept.error(), over.aborted, Duration::ZERO);
        self.tell_end(over.stop);
        let previous = self.past.as_ref().and_then(|past| past.texts.previous());
        let previous = previous.filter(|_| over.aborted.is_some());
        GiveUp { failure, reason: over.stop.reason, previous }
    }

    /// Checks whether the next attempt would start in time, after the hooks.
    ///
    /// # Errors
    ///
    /// Returns [`GiveUpReason::Deadline`] if it would not.
    pub fn check_time(&self, pause: &RetryDelay) -> Result<(), GiveUpReason> {
        let starts = || self.clock.elapsed().saturating_add(pause.delay);
        let late = pause.start_before.is_some_and(|limit| starts() >= limit)
            || self.clock.deadline().is_some_and(|deadline| passes(deadline, pause.delay));
        if late { Err(GiveUpReason::Deadline) } else { Ok(()) }
    }

    pub(crate) fn describe<'a, E>(
        &self,
        error: Option<&'a E>,
        aborted: Option<Aborted>,
        delay: Duration,
    ) -> Failure<'a, E> {
        let operation = self.past.as_ref().map_or("", |past| past.name.text());
        let attempt = self.attempt();
        Failure {
            operation,
            attempt,
            elapsed: self.clock.elapsed(),
            delay,
            error,
            aborted,
            ran: None,
        }
    }
}

/// tokio's timer rounds up to milliseconds: a wait that ends closer to the deadline than this could end after it, and
/// would be wasted.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

fn passes(deadline: Instant, delay: Duration) -> bool {
    let rounding = if delay.is_zero() { Duration::ZERO } else { TIMER_RESOLUTION };
    let longest = delay.saturating_add(rounding);
    Instant::now()
        .checked_add(longest)
        .is_none_or(|next| next > deadline || delay.is_zero() && next == deadline)
}
