use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};

use crate::{
    Limits, TimeLimit, Timed, Untimed,
    drive::{Outcome, RepresentsTimeLimit},
};

/// What a call knows of time; chosen at compile time, so that a call that needs no clock has none.
pub trait Clock {
    /// What running an attempt yields.
    type Ended<R>;
    /// An attempt under the limits of this clock.
    type Running<F: Future>: Future<Output = Self::Ended<F::Output>>;

    /// Starts with the first attempt.
    fn start(limits: Limits) -> Self;

    /// Returns the time since the start, zero without a clock.
    fn elapsed(&self) -> Duration;

    /// Returns when the call has to end.
    fn deadline(&self) -> Option<Instant>;

    /// Limits an attempt; `number` counts from 1.
    fn run<F: Future>(&self, number: u32, attempt: F) -> Self::Running<F>;
}

/// Turns the end of an attempt into an outcome, and tells the limit that cut it.
pub trait CutInto<R>: Clock {
    /// Returns the outcome and the limit that cut the attempt, if one did.
    fn outcome(ended: Self::Ended<R>) -> (R, Option<TimeLimit>);

    /// Borrows the outcome of an attempt that was not cut; only its type matters.
    fn peek(ended: &Self::Ended<R>) -> Option<&R>;
}

/// Names the clocks of a timing: with hooks, which see the elapsed time, and without.
pub trait Clocked {
    /// The clock of a call without hooks.
    type Bare: Clock;
    /// The clock of a call with hooks.
    type Watched: Clock;
}

impl Clocked for Untimed {
    type Bare = NoClock;
    type Watched = StopWatch;
}

impl Clocked for Timed {
    type Bare = Timer;
    type Watched = Timer;
}

/// No clock: no limit, no hook, nobody asks for the time.
#[derive(Debug)]
pub struct NoClock;

impl Clock for NoClock {
    type Ended<R> = R;
    type Running<F: Future> = F;

    #[inline]
    fn start(_: Limits) -> Self {
        Self
    }

    #[inline]
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    #[inline]
    fn deadline(&self) -> Option<Instant> {
        None
    }

    #[inline]
    fn run<F: Future>(&self, _: u32, attempt: F) -> F {
        attempt
    }
}

impl<R> CutInto<R> for NoClock {
    #[inline]
    fn outcome(ended: R) -> (R, Option<TimeLimit>) {
        (ended, None)
    }

    #[inline]
    fn peek(ended: &R) -> Option<&R> {
        Some(ended)
    }
}

/// Tells hooks the elapsed time; limits nothing.
#[derive(Debug)]
pub struct StopWatch {
    start: Instant,
}

impl Clock for StopWatch {
    type Ended<R> = R;
    type Running<F: Future> = F;

    fn start(_: Limits) -> Self {
        Self { start: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn run<F: Future>(&self, _: u32, attempt: F) -> F {
        attempt
    }
}

impl<R> CutInto<R> for StopWatch {
    fn outcome(ended: R) -> (R, Option<TimeLimit>) {
        (ended, None)
    }

    fn peek(ended: &R) -> Option<&R> {
        Some(ended)
    }
}

/// Cuts attempts at the attempt timeout and at the deadline.
#[derive(Debug)]
pub struct Timer {
    start: Instant,
    limits: Limits,
}

impl Clock for Timer {
    type Ended<R> = Result<R, TimeLimit>;
    type Running<F: Future> = Running<F>;

    fn start(limits: Limits) -> Self {
        Self { start: Instant::now(), limits }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn deadline(&self) -> Option<Instant> {
        // A deadline beyond the end of time is none.
        self.start.checked_add(self.limits.deadline?)
    }

    fn run<F: Future>(&self, number: u32, attempt: F) -> Running<F> {
        // The first attempt starts with the call, so one reading of the clock serves both.
        let now = if number <= 1 { self.start } else { Instant::now() };
        let deadline =
            self.limits.deadline.and_then(|limit| Some((self.start.checked_add(limit)?, limit)));
        let timeout =
            self.limits.attempt_timeout.and_then(|limit| Some((now.checked_add(limit)?, limit)));
        let cut = match (deadline, timeout) {
            (Some((at, limit)), Some((earlier, _))) if at <= earlier => {
                Some((at, TimeLimit::Deadline(limit)))
            }
            (_, Some((at, limit))) => Some((at, TimeLimit::AttemptTimeout(limit))),
            (Some((at, limit)), None) => Some((at, TimeLimit::Deadline(limit))),
            (None, None) => None,
        };
        match cut {
            Some((at, limit)) => Running::Limited {
                late: at <= now && matches!(limit, TimeLimit::Deadline(_)),
                attempt: timeout_at(at, attempt),
                limit,
            },
            None => Running::Free { attempt },
        }
    }
}

impl<R> CutInto<R> for Timer
where
    R: Outcome<Error: RepresentsTimeLimit>,
{
    fn outcome(ended: Result<R, TimeLimit>) -> (R, Option<TimeLimit>) {
        match ended {
            Ok(outcome) => (outcome, None),
            Err(limit) => (R::from_error(limit.into()), Some(limit)),
        }
    }

    fn peek(ended: &Result<R, TimeLimit>) -> Option<&R> {
        ended.as_ref().ok()
    }
}

pin_project! {
    /// An attempt under a [`Timer`].
    #[project = Projection]
    #[derive(Debug)]
    pub enum Running<F> {
        /// No limit applies.
        Free {
            #[pin]
            attempt: F,
        },
        /// Cut at the limit, without beginning if it is too late already.
        Limited {
            #[pin]
            attempt: Timeout<F>,
            limit: TimeLimit,
            late: bool,
        },
    }
}

impl<F: Future> Future for Running<F> {
    type Output = Result<F::Output, TimeLimit>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Free { attempt } => attempt.poll(context).map(Ok),
            Projection::Limited { limit, late: true, .. } => Poll::Ready(Err(*limit)),
            Projection::Limited { attempt, limit, .. } => {
                Poll::Ready(ready!(attempt.poll(context)).map_err(|_| *limit))
            }
        }
    }
}
