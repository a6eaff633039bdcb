//! The clock of calls under time limits.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    clock::{Clock, outcome::Outcome, sleep::poll_punctually},
    failure::RepresentsAbort,
    failure::aborted::{Aborted, PreviousError},
    policy::{Limits, Policy},
};

/// Aborts attempts at the attempt timeout and at the deadline.
///
/// Without hooks the first attempt starts with the call, so one reading of the clock serves both.
#[derive(Debug)]
pub struct Timer<const HOOKS: bool = true> {
    start: Instant,
    limits: AbortLimits,
}

/// The limits that aborted an attempt.
#[derive(Debug, Clone, Copy)]
pub struct AbortLimits {
    deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
}

impl AbortLimits {
    #[inline]
    fn of(Limits { deadline, attempt_timeout, retry_for: _ }: Limits) -> Self {
        Self { deadline, attempt_timeout }
    }
}

impl<const HOOKS: bool> Timer<HOOKS> {
    /// Sets the start of the call.
    #[cfg(feature = "fred")]
    pub(crate) fn since(&mut self, begin: Instant) {
        self.start = begin;
    }
}

impl<const HOOKS: bool> Clock for Timer<HOOKS> {
    const ABORTS: bool = true;
    type Limit = Aborted;
    type Ended<R> = Result<R, Aborted>;
    type Running<F: Future> = Running<F>;
    type Kept<O> = Option<O>;
    type Watch = ();

    #[inline]
    fn start<P: Policy>(policy: P) -> Self {
        Self { start: Instant::now(), limits: AbortLimits::of(policy.limits()) }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn deadline(&self) -> Option<Instant> {
        // A deadline that an `Instant` cannot represent never comes.
        self.start.checked_add(self.limits.deadline?)
    }

    fn refusal(&self) -> Option<Aborted> {
        let late = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
        self.limits.deadline.filter(|_| late).map(Aborted::Deadline)
    }

    #[inline]
    fn run<F: Future>(&mut self, number: u32, attempt: F, refused: Option<Aborted>) -> Running<F> {
        let now = if number <= 1 && !HOOKS { self.start } else { Instant::now() };
        let late = |limit: &Duration| now.saturating_duration_since(self.start) >= *limit;
        let late = self.limits.deadline.filter(late);
        // Checked before the two are joined: an `Aborted` is larger than what a first attempt should move.
        if refused.is_none() && late.is_none() {
            let alarm = Alarm::Unset { call: self.start, attempt: now, limits: self.limits };
            return Running::Begun { attempt, alarm };
        }
        match refused.or(late.map(Aborted::Deadline)) {
            Some(aborted) => Running::Refused { aborted },
            // Not reached; a separate arm keeps the two apart in the generated code.
            None => Running::Refused { aborted: Aborted::Deadline(Duration::ZERO) },
        }
    }

    fn run_blocking<R>(
        &mut self,
        _: u32,
        attempt: impl FnOnce() -> R,
        refused: Option<Aborted>,
    ) -> Result<R, Aborted> {
        refused.or_else(|| self.refusal()).map_or_else(|| Ok(attempt()), Err)
    }

    fn pass(&mut self, time: Duration) {
        self.start = self.start.checked_sub(time).unwrap_or(self.start);
    }

    #[inline]
    fn watch(&self) {}

    fn keep<O>(outcome: O) -> Option<O> {
        Some(outcome)
    }

    fn kept<O>(kept: Option<O>) -> Option<O> {
        kept
    }

    #[inline]
    fn outcome<O>(
        ended: Result<O, Aborted>,
        previous: impl FnOnce() -> Option<PreviousError>,
    ) -> (O, Option<Aborted>)
    where
        O: Outcome<Error: RepresentsAbort<Aborted>>,
    {
        match ended {
            Ok(outcome) => (outcome, None),
            Err(limit) => {
                let error = PreviousError::during(previous(), || RepresentsAbort::represent(limit));
                (O::from_result(Err(error)), Some(limit))
            }
        }
    }
}

pin_project! {
    /// An attempt under a [`Timer`].
    #[project = Projection]
    #[derive(Debug)]
    pub enum Running<F> {
        /// Aborted at the limit, which is set up only if the attempt is not ready at once.
        Begun {
            #[pin]
            attempt: F,
            #[pin]
            alarm: Alarm,
        },
        /// Does not begin.
        Refused { aborted: Aborted },
    }
}

impl<F: Future> Future for Running<F> {
    type Output = Result<F::Output, Aborted>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Begun { attempt, alarm } => match attempt.poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                Poll::Pending => alarm.poll(context).map(Err),
            },
            Projection::Refused { aborted } => Poll::Ready(Err(*aborted)),
        }
    }
}

pin_project! {
    /// Completes when an attempt has to be aborted.
    #[project = AlarmProjection]
    #[derive(Debug)]
    pub enum Alarm {
        /// The attempt has not been waited for yet.
        Unset { call: Instant, attempt: Instant, limits: AbortLimits },
        /// It is aborted at this time.
        Set {
            #[pin]
            sleep: Sleep,
            aborted: Aborted,
        },
        /// Never, because no limit applies.
        Silent,
    }
}

impl Alarm {
    fn of(call: Instant, attempt: Instant, limits: AbortLimits) -> Self {
        // A limit that an `Instant` cannot represent never comes.
        let deadline = limits.deadline.and_then(|limit| Some((call.checked_add(limit)?, limit)));
        let timeout =
            limits.attempt_timeout.and_then(|limit| Some((attempt.checked_add(limit)?, limit)));
        let (at, aborted) = match (deadline, timeout) {
            (Some((at, limit)), None) => (at, Aborted::Deadline(limit)),
            (Some((at, limit)), Some((later, _))) if at <= later => (at, Aborted::Deadline(limit)),
            (_, Some((at, limit))) => (at, Aborted::AttemptTimeout(limit)),
            (None, None) => return Self::Silent,
        };
        Self::Set { sleep: sleep_until(at), aborted }
    }
}

impl Future for Alarm {
    type Output = Aborted;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Aborted> {
        if let AlarmProjection::Unset { call, attempt, limits } = self.as_mut().project() {
            let alarm = Self::of(*call, *attempt, *limits);
            Pin::set(&mut self, alarm);
        }
        match self.project() {
            AlarmProjection::Set { sleep, aborted } => {
                poll_punctually(sleep, context).map(|()| *aborted)
            }
            AlarmProjection::Unset { .. } | AlarmProjection::Silent => Poll::Pending,
        }
    }
}
