use std::{
    fmt,
    future::{Future, IntoFuture},
};

use super::{
    Retry, RetryValue,
    hook::{BeforeHook, FailureHook, GiveUpHook, NoHook},
};
use crate::{
    call::{Call, Verdict, hook::run_hook},
    clock::{Clock, Clocked},
    failure::{GiveUpReason, RepresentsAbort},
    policy::{ByDisposition, Decide, Policy},
};

/// A call in the closure form with hooks, to configure and await.
///
/// `D` creates the future; this gives an `async fn` a nameable future without a box.
#[must_use = "nothing happens until the call is awaited"]
pub struct Hooked<C, D> {
    pub(super) parts: C,
    drive: D,
}

/// The parts of a call with hooks.
pub struct Parts<P, Op, V, B = NoHook, F = NoHook, G = NoHook> {
    pub(super) retry: Retry<P, Op, V>,
    pub(super) name: &'static str,
    before: B,
    on_failure: F,
    on_give_up: G,
}

impl<P: fmt::Debug, Op, V, B, F, G> fmt::Debug for Parts<P, Op, V, B, F, G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("retry", &self.retry).finish_non_exhaustive()
    }
}

/// Creates the future of a call from its parts.
pub trait Drive<C> {
    /// The future.
    type Future: Future;

    /// Creates it.
    fn drive(self, parts: C) -> Self::Future;
}

impl<C, D, Fut> Drive<C> for D
where
    D: FnOnce(C) -> Fut,
    Fut: Future,
{
    type Future = Fut;

    fn drive(self, parts: C) -> Fut {
        self(parts)
    }
}

impl<C, D: Drive<C>> IntoFuture for Hooked<C, D> {
    type Output = <D::Future as Future>::Output;
    type IntoFuture = D::Future;

    fn into_future(self) -> D::Future {
        self.drive.drive(self.parts)
    }
}

impl<C, D> fmt::Debug for Hooked<C, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hooked").finish_non_exhaustive()
    }
}

type WatchedClock<P> = <<P as Policy>::Timing as Clocked>::Watched;

/// A call whose parts fit together: the policy decides about the error, and the hooks accept it.
pub trait Run {
    /// What the operation returns.
    type Output;

    /// Runs the call.
    fn run(self) -> impl Future<Output = Self::Output>;
}

impl<P, Op, Fut, T, E, V, B, F, G> Run for Parts<P, Op, V, B, F, G>
where
    P: Decide<E, ByDisposition, Timing: Clocked>,
    E: fmt::Debug + RepresentsAbort<<WatchedClock<P> as Clock>::Limit>,
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    V: RetryValue<T>,
    B: for<'a> BeforeHook<'a>,
    F: for<'a> FailureHook<'a, E>,
    G: for<'a> GiveUpHook<'a, E>,
{
    type Output = Result<T, E>;

    async fn run(self) -> Result<T, E> {
        let Self { retry, name, mut before, mut on_failure, mut on_give_up } = self;
        let Retry { policy, mut operation, rule, wants_other } = retry;
        let mut call = Call::watched(&policy);
        call.open(name);
        let mut last = None;
        let over = loop {
            let refused = call.enter();
            let ready = if refused.is_none() {
                let upcoming = call.upcoming();
                run_hook(call.patience(), before.call(&upcoming)).await
            } else {
                Ok(())
            };
            let stopped = match call.go_on(last, ready) {
                Ok(stopped) => stopped,
                Err(over) => break over,
            };
            let begun = call.begin(&policy);
            let ended = call.run_unless(refused, begun, operation()).await;
            let keep = |value: &T| wants_other.is_not_wanted_yet(value);
            let failed = match call.finish_wanted(name, ended, keep) {
                Ok(outcome) => return outcome,
                Err((failed, _)) => failed,
            };
            let failed = call.explain(name, failed, Some(E::fmt));
            let retry = match call.judge_if(stopped, name, &policy, &rule, failed) {
                Verdict::GiveUp(over) => break over,
                Verdict::Retry(retry) => retry,
            };
            let failure = call.failure(&retry);
            let repaired = run_hook(call.patience(), on_failure.call(&failure)).await;
            if let Err(reason) = call.pause(retry.pause, repaired).await {
                break retry.stop(reason);
            }
            last = Some(retry);
        };
        let give_up = call.give_up(&over);
        // The call is over, whatever the hook returns.
        let _: Result<(), GiveUpReason> =
            run_hook(call.patience(), on_give_up.call(&give_up)).await;
        over.into_outcome()
    }
}

impl<P, Op, V> Parts<P, Op, V> {
    pub(super) fn new(retry: Retry<P, Op, V>) -> Self {
        Self { retry, name: "", before: NoHook, on_failure: NoHook, on_give_up: NoHook }
    }
}

impl<P, Op, V, B, F, G> Parts<P, Op, V, B, F, G> {
    /// Changes what is retried, and keeps the hooks.
    pub(super) fn map<Q, W>(
        self,
        change: impl FnOnce(Retry<P, Op, V>) -> Retry<Q, Op, W>,
    ) -> Parts<Q, Op, W, B, F, G> {
        let Self { retry, name, before, on_failure, on_give_up } = self;
        Parts { retry: change(retry), name, before, on_failure, on_give_up }
    }
}

impl<P, Op, V, F, G> Parts<P, Op, V, NoHook, F, G> {
    pub(super) fn before<H>(self, before: H) -> Parts<P, Op, V, H, F, G> {
        let Self { retry, name, before: NoHook, on_failure, on_give_up } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

impl<P, Op, V, B, G> Parts<P, Op, V, B, NoHook, G> {
    pub(super) fn on_failure<H>(self, on_failure: H) -> Parts<P, Op, V, B, H, G> {
        let Self { retry, name, before, on_failure: NoHook, on_give_up } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

impl<P, Op, V, B, F> Parts<P, Op, V, B, F, NoHook> {
    pub(super) fn on_give_up<H>(self, on_give_up: H) -> Parts<P, Op, V, B, F, H> {
        let Self { retry, name, before, on_failure, on_give_up: NoHook } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

/// Returns a [`Hooked`] whose future comes from [`Run::run`].
pub(super) fn hooked<C: Run>(
    parts: C,
) -> Hooked<C, impl Drive<C, Future = impl Future<Output = C::Output>>> {
    Hooked { parts, drive: C::run }
}
