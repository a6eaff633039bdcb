//! The wait between a failure and the next attempt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;

use super::{call::Call, name::Name, rest::Rest};
use crate::{
    Advice, Reason, Stop,
    drive::{Clock, Guarding},
};

/// The wait that follows a failure, and what is kept of the failure.
pub struct Paused<O, C: Clock> {
    pub(crate) delay: Duration,
    pub(crate) kept: C::Kept<(O, Advice)>,
}

impl<O, C: Clock> fmt::Debug for Paused<O, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Paused").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl<S, C: Clock, N: Name> Call<S, C, N> {
    /// Waits before the next attempt; returns the outcome of the last one if there is to be none.
    pub fn wait<O>(&mut self, paused: Paused<O, C>) -> Waiting<'_, S, C, N, O> {
        let rest = self.rest(paused.delay);
        Waiting { call: self, rest, kept: paused.kept }
    }

    /// Ends a wait: returns the outcome of the last attempt if there is to be no other.
    pub(crate) fn resume<O>(&mut self, kept: C::Kept<(O, Advice)>) -> Option<O> {
        let reason = self.may_resume().err()?;
        let (outcome, advice) = C::kept(kept)?;
        self.end(Stop { reason, advice });
        Some(outcome)
    }

    /// Waits, at most until the call is cancelled.
    pub(crate) fn rest(&self, delay: Duration) -> Rest<C::Watch> {
        Rest::new(delay, self.clock.watch())
    }

    /// Waits before the next attempt of a call with hooks.
    ///
    /// # Errors
    ///
    /// Returns why there is to be none.
    pub async fn pause(&mut self, delay: Duration) -> Result<(), Reason> {
        self.rest(delay).await;
        self.may_resume()
    }

    /// Tells whether another attempt may begin after the wait, which may have ended late.
    pub(crate) fn may_resume(&mut self) -> Result<(), Reason> {
        self.check_deadline()?;
        self.clock.guarding().map_or(Ok(()), Guarding::resume)
    }

    /// Tells whether the retry may begin after its `before` hook, which took its time.
    ///
    /// # Errors
    ///
    /// Returns why it may not: the deadline has passed, or the call was cancelled.
    pub fn may_begin(&mut self) -> Result<(), Reason> {
        self.check_deadline()?;
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.check_cancelled())
    }

    fn check_deadline(&self) -> Result<(), Reason> {
        self.clock.refusal().map_or(Ok(()), |_| Err(Reason::Deadline))
    }

    /// Waits as [`wait`](Self::wait), blocking the thread.
    pub fn wait_blocking<O>(&mut self, paused: Paused<O, C>) -> Option<O> {
        self.clock.sleep(paused.delay);
        self.resume(paused.kept)
    }

    /// Waits as [`pause`](Self::pause), blocking the thread.
    ///
    /// # Errors
    ///
    /// Returns why there is to be no other attempt.
    pub fn pause_blocking(&mut self, delay: Duration) -> Result<(), Reason> {
        self.clock.sleep(delay);
        self.may_resume()
    }
}

pin_project! {
    /// The wait before the next attempt of a call without hooks.
    pub struct Waiting<'a, S, C: Clock, N: Name, O> {
        call: &'a mut Call<S, C, N>,
        #[pin]
        rest: Rest<C::Watch>,
        kept: C::Kept<(O, Advice)>,
    }
}

impl<S, C: Clock, N: Name, O> fmt::Debug for Waiting<'_, S, C, N, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl<S, C: Clock, N: Name, O> Future for Waiting<'_, S, C, N, O> {
    type Output = Option<O>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<O>> {
        let this = self.project();
        ready!(this.rest.poll(context));
        Poll::Ready(this.call.resume(std::mem::take(this.kept)))
    }
}
