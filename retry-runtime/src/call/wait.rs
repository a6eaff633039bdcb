//! The wait between a failure and the next attempt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant as StdInstant},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::{
    call::{Call, Over, Retrying},
    clock::{Clock, call_guards::CallGuards, sleep::Rest},
    failure::GiveUpReason,
    policy::RetryDelay,
    telemetry::name::Name,
};

/// The wait after a failure, and what is kept of the failure: nothing if another attempt always follows.
pub struct Paused<K, C: Clock> {
    pub(crate) delay: Duration,
    pub(crate) kept: C::Kept<K>,
}

impl<K, C: Clock> Paused<K, C> {
    pub(crate) fn new(delay: Duration, kept: K) -> Self {
        Self { delay, kept: C::keep(kept) }
    }
}

impl<K, C: Clock> fmt::Debug for Paused<K, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Paused").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl<S, C: Clock, N: Name> Call<S, C, N> {
    /// Waits before the next attempt; if none follows, returns what was kept of the last one, and the reason.
    pub fn wait<K>(&mut self, paused: Paused<K, C>) -> Waiting<'_, S, C, N, K> {
        let rest = self.rest(paused.delay);
        Waiting { call: self, rest, kept: paused.kept }
    }

    /// Ends a wait; if no attempt follows, returns what was kept of the last one, and the reason.
    pub(crate) fn resume<K>(&mut self, kept: C::Kept<K>) -> Option<(K, GiveUpReason)> {
        let reason = self.may_resume().err()?;
        Some((C::kept(kept)?, reason))
    }

    /// Drops what is not needed during the wait, unless the `on_failure` hook failed or took too long.
    ///
    /// # Errors
    ///
    /// Returns the end of the call.
    pub fn let_go<K>(
        &mut self,
        retry: Retrying<K>,
        repaired: Result<(), GiveUpReason>,
    ) -> Result<Paused<Retrying<K>, C>, Over<K>> {
        match repaired.and_then(|()| self.check_time(&retry.pause)) {
            Ok(()) => Ok(Paused::new(retry.pause.delay, retry)),
            Err(reason) => Err(retry.stop(reason)),
        }
    }

    /// Waits, at most until the call is cancelled.
    pub(crate) fn rest(&self, delay: Duration) -> Rest<C::Watch> {
        Rest::new(delay, self.clock.watch())
    }

    /// Waits before the next attempt of a call whose `before` hook may end it, unless the `on_failure` hook failed or
    /// took too long.
    ///
    /// # Errors
    ///
    /// Returns why no attempt follows.
    pub async fn pause(
        &mut self,
        pause: RetryDelay,
        repaired: Result<(), GiveUpReason>,
    ) -> Result<(), GiveUpReason> {
        repaired?;
        self.check_time(&pause)?;
        self.pause_for(pause.delay).await
    }

    /// Waits before the next attempt.
    pub(crate) async fn pause_for(&mut self, delay: Duration) -> Result<(), GiveUpReason> {
        self.rest(delay).await;
        self.may_resume()
    }

    /// Checks whether another attempt may begin after the wait, which may have ended late.
    pub(crate) fn may_resume(&mut self) -> Result<(), GiveUpReason> {
        self.check_deadline()?;
        self.clock.guarding().map_or(Ok(()), CallGuards::resume)
    }

    /// Checks whether the retry may begin after its `before` hook, which may have taken a while.
    ///
    /// # Errors
    ///
    /// Returns why it may not: the deadline has passed, or the call was cancelled.
    pub fn may_begin(&mut self) -> Result<(), GiveUpReason> {
        self.check_deadline()?;
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.check_cancelled())
    }

    fn check_deadline(&self) -> Result<(), GiveUpReason> {
        self.clock.refusal().map_or(Ok(()), |_| Err(GiveUpReason::Deadline))
    }

    /// Waits as [`wait`](Self::wait) does, blocking the thread.
    pub fn wait_blocking<K>(&mut self, paused: Paused<K, C>) -> Option<(K, GiveUpReason)> {
        self.block(|clock| clock.sleep(paused.delay));
        self.resume(paused.kept)
    }

    /// Waits as [`pause`](Self::pause) does, blocking the thread.
    ///
    /// # Errors
    ///
    /// Returns why no other attempt follows.
    pub fn pause_blocking(
        &mut self,
        pause: RetryDelay,
        repaired: Result<(), GiveUpReason>,
    ) -> Result<(), GiveUpReason> {
        repaired?;
        self.check_time(&pause)?;
        self.block(|clock| clock.sleep(pause.delay));
        self.may_resume()
    }

    /// Blocks the thread, and counts the time against the deadline even if a test has paused tokio's clock.
    #[cold]
    pub(crate) fn block<T>(&mut self, run: impl FnOnce(&mut C) -> T) -> T {
        let (clock, real) = (Instant::now(), StdInstant::now());
        let result = run(&mut self.clock);
        self.clock.pass(real.elapsed().saturating_sub(clock.elapsed()));
        result
    }
}

pin_project! {
    /// The wait before the next attempt.
    pub struct Waiting<'a, S, C: Clock, N: Name, K> {
        call: &'a mut Call<S, C, N>,
        #[pin]
        rest: Rest<C::Watch>,
        kept: C::Kept<K>,
    }
}

impl<S, C: Clock, N: Name, K> fmt::Debug for Waiting<'_, S, C, N, K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl<S, C: Clock, N: Name, K> Future for Waiting<'_, S, C, N, K> {
    type Output = Option<(K, GiveUpReason)>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(this.rest.poll(context));
        Poll::Ready(this.call.resume(std::mem::take(this.kept)))
    }
}
