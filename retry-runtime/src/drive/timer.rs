//! The clock of calls under time limits.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::rest::poll_punctually;
use crate::{
    Cut, Limits, Policy, PreviousError,
    drive::{Clock, Outcome, RepresentsCut},
};

/// Cuts attempts at the attempt timeout and at the deadline.
///
/// Without hooks the first attempt starts with the call, so one reading of the clock serves both.
#[derive(Debug)]
pub struct Timer<const HOOKS: bool = true> {
    start: Instant,
    limits: Cuts,
}

/// The limits that cut an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Cuts {
    deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
}

impl Cuts {
    #[inline]
    fn of(Limits { deadline, attempt_timeout, retry_for: _ }: Limits) -> Self {
        Self { deadline, attempt_timeout }
    }
}

impl<const HOOKS: bool> Timer<HOOKS> {
    /// Tells when the call began.
    #[cfg(feature = "fred")]
    pub(super) fn since(&mut self, begin: Instant) {
        self.start = begin;
    }
}

impl<const HOOKS: bool> Clock for Timer<HOOKS> {
    const CUTS: bool = true;
    type Limit = Cut;
    type Ended<R> = Result<R, Cut>;
    type Running<F: Future> = Running<F>;
    type Kept<O> = Option<O>;
    type Watch = ();

    #[inline]
    fn start<P: Policy>(policy: P) -> Self {
        Self { start: Instant::now(), limits: Cuts::of(policy.limits()) }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn deadline(&self) -> Option<Instant> {
        // A deadline beyond the end of time is none.
        self.start.checked_add(self.limits.deadline?)
    }

    fn refusal(&self) -> Option<Cut> {
        let late = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
        self.limits.deadline.filter(|_| late).map(Cut::Deadline)
    }

    #[inline]
    fn run<F: Future>(&mut self, number: u32, attempt: F, refused: Option<Cut>) -> Running<F> {
        let now = if number <= 1 && !HOOKS { self.start } else { Instant::now() };
        let late = |limit: &Duration| now.saturating_duration_since(self.start) >= *limit;
        let late = self.limits.deadline.filter(late);
        // Asked before the two are joined: a `Cut` is larger than what a first attempt should move.
        if refused.is_none() && late.is_none() {
            let alarm = Alarm::Unset { call: self.start, attempt: now, limits: self.limits };
            return Running::Begun { attempt, alarm };
        }
        match refused.or(late.map(Cut::Deadline)) {
            Some(cut) => Running::Refused { cut },
            // Not reached; an arm of its own keeps the two apart in what the compiler makes of it.
            None => Running::Refused { cut: Cut::Deadline(Duration::ZERO) },
        }
    }

    fn run_blocking<R>(
        &mut self,
        _: u32,
        attempt: impl FnOnce() -> R,
        refused: Option<Cut>,
    ) -> Result<R, Cut> {
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
        ended: Result<O, Cut>,
        previous: impl FnOnce() -> Option<PreviousError>,
    ) -> (O, Option<Cut>)
    where
        O: Outcome<Error: RepresentsCut<Cut>>,
    {
        match ended {
            Ok(outcome) => (outcome, None),
            Err(limit) => {
                let error = PreviousError::during(previous(), || RepresentsCut::represent(limit));
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
        /// Cut at the limit, which is set up only if the attempt is not ready at once.
        Begun {
            #[pin]
            attempt: F,
            #[pin]
            alarm: Alarm,
        },
        /// Does not begin.
        Refused { cut: Cut },
    }
}

impl<F: Future> Future for Running<F> {
    type Output = Result<F::Output, Cut>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Begun { attempt, alarm } => match attempt.poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                Poll::Pending => alarm.poll(context).map(Err),
            },
            Projection::Refused { cut } => Poll::Ready(Err(*cut)),
        }
    }
}

pin_project! {
    /// Tells when an attempt is to be cut.
    #[project = AlarmProjection]
    #[derive(Debug)]
    pub enum Alarm {
        /// The attempt has not been waited for yet.
        Unset { call: Instant, attempt: Instant, limits: Cuts },
        /// It is cut at this time.
        Set {
            #[pin]
            sleep: Sleep,
            cut: Cut,
        },
        /// Never, because no limit applies.
        Silent,
    }
}

impl Alarm {
    fn of(call: Instant, attempt: Instant, limits: Cuts) -> Self {
        // A limit beyond the end of time is none.
        let deadline = limits.deadline.and_then(|limit| Some((call.checked_add(limit)?, limit)));
        let timeout =
            limits.attempt_timeout.and_then(|limit| Some((attempt.checked_add(limit)?, limit)));
        let (at, cut) = match (deadline, timeout) {
            (Some((at, limit)), None) => (at, Cut::Deadline(limit)),
            (Some((at, limit)), Some((later, _))) if at <= later => (at, Cut::Deadline(limit)),
            (_, Some((at, limit))) => (at, Cut::AttemptTimeout(limit)),
            (None, None) => return Self::Silent,
        };
        Self::Set { sleep: sleep_until(at), cut }
    }
}

impl Future for Alarm {
    type Output = Cut;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Cut> {
        if let AlarmProjection::Unset { call, attempt, limits } = self.as_mut().project() {
            let alarm = Self::of(*call, *attempt, *limits);
            Pin::set(&mut self, alarm);
        }
        match self.project() {
            AlarmProjection::Set { sleep, cut } => poll_punctually(sleep, context).map(|()| *cut),
            AlarmProjection::Unset { .. } | AlarmProjection::Silent => Poll::Pending,
        }
    }
}
