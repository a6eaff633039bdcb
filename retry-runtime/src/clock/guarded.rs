//! A clock with guards.

use std::{
    future::Future,
    time::{Duration, Instant as StdInstant},
};

use tokio::time::Instant;

use crate::{
    clock::{
        Clock,
        call_guards::{CallGuards, Times},
        outcome::Outcome,
        sleep::Watches,
    },
    failure::{
        RepresentsAbort,
        aborted::{Aborted, PreviousError},
    },
    policy::Policy,
};

/// A clock with guards.
#[derive(Debug)]
pub struct GuardedClock<C> {
    clock: C,
    guarding: CallGuards,
}

/// The longest time for which a cancelled call still blocks its thread.
const SLICE: Duration = Duration::from_millis(20);

#[cfg(feature = "fred")]
impl GuardedClock<crate::clock::timer::Timer> {
    /// Sets the start of the call.
    pub(crate) fn since(&mut self, begin: Instant) {
        self.clock.since(begin);
    }
}

impl<C: Clock> GuardedClock<C> {
    /// Begins an attempt, unless it is too late: then the call pays nothing, and the breaker counts nothing.
    fn begin(&mut self, number: u32) -> Result<(), Aborted> {
        if let Some(aborted) = self.clock.refusal() {
            self.guarding.call_off();
            return Err(aborted);
        }
        self.guarding.begin(number)
    }
}

impl<C: Clock> Clock for GuardedClock<C> {
    const ABORTS: bool = C::ABORTS;
    type Limit = C::Limit;
    type Ended<R> = C::Ended<R>;
    type Running<F: Future> = C::Running<F>;
    type Kept<O> = Option<O>;
    type Watch = Watches;

    fn start<P: Policy>(policy: P) -> Self {
        let clock = C::start(&policy);
        Self { clock, guarding: CallGuards::new(policy.into_guards()) }
    }

    #[inline]
    fn elapsed(&self) -> Duration {
        // A clock without limits can stand still; a running one started before the first hook.
        match self.guarding.times {
            Some(times) => times.call.elapsed().max(self.clock.elapsed()),
            None => self.clock.elapsed(),
        }
    }

    fn measured(&self) -> Option<Duration> {
        let measured = self.clock.measured();
        if self.guarding.times.is_some() { Some(self.elapsed()) } else { measured }
    }

    #[inline]
    fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    #[inline]
    fn refusal(&self) -> Option<Aborted> {
        self.clock.refusal()
    }

    fn enter(&mut self) -> Result<(), Aborted> {
        self.clock.enter()?;
        self.guarding.enter()
    }

    fn run<F: Future>(
        &mut self,
        number: u32,
        attempt: F,
        refused: Option<Aborted>,
    ) -> C::Running<F> {
        let refused = refused.or_else(|| self.begin(number).err());
        self.clock.run(number, attempt, refused)
    }

    fn run_blocking<R>(
        &mut self,
        number: u32,
        attempt: impl FnOnce() -> R,
        refused: Option<Aborted>,
    ) -> C::Ended<R> {
        let refused = refused.or_else(|| self.begin(number).err());
        self.clock.run_blocking(number, attempt, refused)
    }

    /// Sleeps in slices, because a cancellation does not wake a sleeping thread.
    fn sleep(&self, delay: Duration) {
        let begin = StdInstant::now();
        while !self.guarding.is_cancelled() {
            let left = delay.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.clock.pass(time);
        if let Some(Times { call, .. }) = &mut self.guarding.times {
            *call = call.checked_sub(time).unwrap_or(*call);
        }
    }

    #[inline]
    fn guarding(&mut self) -> Option<&mut CallGuards> {
        Some(&mut self.guarding)
    }

    fn watch(&self) -> Watches {
        self.guarding.watch()
    }

    fn keep<O>(outcome: O) -> Option<O> {
        Some(outcome)
    }

    fn kept<O>(kept: Option<O>) -> Option<O> {
        kept
    }

    #[inline]
    fn outcome<O>(
        ended: C::Ended<O>,
        previous: impl FnOnce() -> Option<PreviousError>,
    ) -> (O, Option<Aborted>)
    where
        O: Outcome<Error: RepresentsAbort<C::Limit>>,
    {
        C::outcome(ended, previous)
    }
}
