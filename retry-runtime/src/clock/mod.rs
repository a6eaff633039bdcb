//! Time and guards of a call.

pub(crate) mod call_guards;
pub(crate) mod guarded;
pub(crate) mod outcome;
pub(crate) mod sleep;
pub(crate) mod timer;

use std::{convert::Infallible, future::Future, time::Duration};

use tokio::time::Instant;

use crate::{
    clock::{
        call_guards::CallGuards, guarded::GuardedClock, outcome::Outcome, sleep::Watching,
        timer::Timer,
    },
    failure::RepresentsAbort,
    failure::aborted::{Aborted, PreviousError},
    policy::{Measured, Policy, Timed, Timing, Untimed, WithGuards},
};

/// The time and the guards of a call; chosen at compile time, so that a call that needs none carries none.
pub trait Clock {
    /// Whether it can abort an attempt.
    const ABORTS: bool = false;
    /// What can abort an attempt: [`Aborted`], or [`Infallible`] for nothing.
    type Limit;
    /// What running an attempt yields.
    type Ended<R>;
    /// An attempt under the limits of this clock.
    type Running<F: Future>: Future<Output = Self::Ended<F::Output>>;
    /// What is kept of a failure during the wait, in case no attempt follows: nothing if one always does.
    type Kept<O>: Default;
    /// What can end a wait.
    type Watch: Watching;

    /// Starts with the first attempt.
    fn start<P: Policy>(policy: P) -> Self;

    /// Returns the time since the start, zero without a clock.
    fn elapsed(&self) -> Duration;

    /// Returns the time since the start, if it is known.
    fn measured(&self) -> Option<Duration> {
        Some(self.elapsed())
    }

    /// Returns when the call must end.
    fn deadline(&self) -> Option<Instant>;

    /// Returns the limit that lets no further attempt begin.
    #[inline]
    fn refusal(&self) -> Option<Aborted> {
        None
    }

    /// Asks whether the first attempt may begin, before its hook runs.
    #[inline]
    fn enter(&mut self) -> Result<(), Aborted> {
        self.refusal().map_or(Ok(()), Err)
    }

    /// Limits an attempt; `number` counts from 1, and a refused attempt does not begin.
    fn run<F: Future>(
        &mut self,
        number: u32,
        attempt: F,
        refused: Option<Aborted>,
    ) -> Self::Running<F>;

    /// Runs an attempt that blocks the thread, and so cannot be aborted.
    fn run_blocking<R>(
        &mut self,
        number: u32,
        attempt: impl FnOnce() -> R,
        refused: Option<Aborted>,
    ) -> Self::Ended<R>;

    /// Blocks the thread for a while.
    fn sleep(&self, delay: Duration) {
        std::thread::sleep(delay);
    }

    /// Counts time as passed during which the clock stood still.
    #[inline]
    fn pass(&mut self, _: Duration) {}

    /// Returns the guards of the call.
    #[inline]
    fn guarding(&mut self) -> Option<&mut CallGuards> {
        None
    }

    /// Returns what can end the wait that begins.
    fn watch(&self) -> Self::Watch;

    /// Keeps a failure during the wait.
    fn keep<O>(outcome: O) -> Self::Kept<O>;

    /// Returns the failure that was kept.
    fn kept<O>(kept: Self::Kept<O>) -> Option<O>;

    /// Returns the outcome of an attempt and the limit that aborted it, if one did.
    ///
    /// The conversion of a limit into an error can read the last error before it.
    /// The bound is on the error type alone, because rustc shows it to the author of the operation.
    fn outcome<O>(
        ended: Self::Ended<O>,
        previous: impl FnOnce() -> Option<PreviousError>,
    ) -> (O, Option<Aborted>)
    where
        O: Outcome<Error: RepresentsAbort<Self::Limit>>;
}

/// Names the clocks of a timing: with hooks, which see the elapsed time, and without.
#[diagnostic::on_unimplemented(
    message = "the timing of this policy is not known here",
    label = "`{Self}` may or may not have time limits and guards",
    note = "name it in the bound, such as `P: Decide<E, ByDisposition> + Policy<Timing = Untimed>`, or take a `DynPolicy<E>`, which is any policy"
)]
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

impl Clocked for Measured {
    type Bare = StopWatch;
    type Watched = StopWatch;
}

impl Clocked for Timed {
    type Bare = Timer<false>;
    type Watched = Timer<true>;
}

impl<T: Timing + Clocked> Clocked for WithGuards<T> {
    type Bare = GuardedClock<T::Bare>;
    type Watched = GuardedClock<T::Watched>;
}

/// The part that all clocks without limits share: an attempt always follows a wait, so nothing is kept.
macro_rules! unlimited {
    () => {
        type Limit = Infallible;
        type Kept<O> = ();
        type Watch = ();

        #[inline]
        fn watch(&self) {}

        #[inline]
        fn keep<O>(_: O) {}

        #[inline]
        fn kept<O>((): ()) -> Option<O> {
            None
        }

        #[inline]
        fn outcome<O: Outcome>(
            ended: O,
            _: impl FnOnce() -> Option<PreviousError>,
        ) -> (O, Option<Aborted>) {
            (ended, None)
        }
    };
}

/// No clock: the call has no limit and no hook, so it needs no time.
#[derive(Debug)]
pub struct NoClock;

impl Clock for NoClock {
    type Ended<R> = R;
    type Running<F: Future> = F;
    unlimited!();

    #[inline]
    fn start<P: Policy>(_: P) -> Self {
        Self
    }

    #[inline]
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn measured(&self) -> Option<Duration> {
        None
    }

    #[inline]
    fn deadline(&self) -> Option<Instant> {
        None
    }

    #[inline]
    fn run<F: Future>(&mut self, _: u32, attempt: F, _: Option<Aborted>) -> F {
        attempt
    }

    #[inline]
    fn run_blocking<R>(&mut self, _: u32, attempt: impl FnOnce() -> R, _: Option<Aborted>) -> R {
        attempt()
    }
}

/// Measures the elapsed time for hooks; limits nothing.
#[derive(Debug)]
pub struct StopWatch {
    start: Instant,
}

impl Clock for StopWatch {
    type Ended<R> = R;
    type Running<F: Future> = F;
    unlimited!();

    fn start<P: Policy>(_: P) -> Self {
        Self { start: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn run<F: Future>(&mut self, _: u32, attempt: F, _: Option<Aborted>) -> F {
        attempt
    }

    #[inline]
    fn run_blocking<R>(&mut self, _: u32, attempt: impl FnOnce() -> R, _: Option<Aborted>) -> R {
        attempt()
    }

    fn pass(&mut self, time: Duration) {
        self.start = self.start.checked_sub(time).unwrap_or(self.start);
    }
}
