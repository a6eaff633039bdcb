#![expect(clippy::type_complexity, reason = "an opaque type inside cannot be given a name")]

use std::{
    fmt,
    future::{Future, IntoFuture, Ready, ready},
};

use crate::{
    Attempt, ByDisposition, Decide, Failure, GiveUp, Policy, Reason, Retry, RetryValue,
    drive::{Call, Clocked, CutInto, HookResult, Verdict, run_hook, wait},
};

/// A call in the closure form with hooks, to be configured and awaited.
///
/// `D` makes the future; it is how an `async fn` gets a nameable future without a box.
#[must_use = "nothing happens until the call is awaited"]
pub struct Hooked<C, D> {
    parts: C,
    drive: D,
}

/// What a call with hooks is made of.
pub struct Parts<P, Op, V, B = NoHook, F = NoHook, G = NoHook> {
    retry: Retry<P, Op, V>,
    name: &'static str,
    before: B,
    on_failure: F,
    on_give_up: G,
}

impl<P: fmt::Debug, Op, V, B, F, G> fmt::Debug for Parts<P, Op, V, B, F, G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("retry", &self.retry).finish_non_exhaustive()
    }
}

/// The place of a hook that was not given.
#[derive(Debug, Clone, Copy)]
pub struct NoHook;

/// Makes the future of a call from its parts.
pub trait Drive<C> {
    /// The future.
    type Future: Future;

    /// Makes it.
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

// `AsyncFnMut` alone would do, but a future generic over it is not `Send` once the hook borrows anything
// (rust-lang/rust#138207). These traits name the hook's future at one lifetime, which rustc can look through; the
// `AsyncFnMut` bound beside them is what gives a closure's argument its type.

/// A `before` hook; implemented by every `AsyncFnMut(&Attempt)` that lends nothing of its own state.
pub trait BeforeHook<'a> {
    /// The future of the hook.
    type Future: Future<Output: HookResult>;

    /// Calls the hook.
    fn call(&mut self, attempt: &'a Attempt) -> Self::Future;
}

impl<'a, F, Fut> BeforeHook<'a> for F
where
    F: FnMut(&'a Attempt) -> Fut,
    Fut: Future<Output: HookResult>,
{
    type Future = Fut;

    fn call(&mut self, attempt: &'a Attempt) -> Fut {
        self(attempt)
    }
}

impl BeforeHook<'_> for NoHook {
    type Future = Ready<()>;

    fn call(&mut self, _: &Attempt) -> Ready<()> {
        ready(())
    }
}

/// An `on_failure` hook; implemented by every `AsyncFnMut(&Failure<E>)` that lends nothing of its own state.
pub trait FailureHook<'a, E: 'a> {
    /// The future of the hook.
    type Future: Future<Output: HookResult>;

    /// Calls the hook.
    fn call(&mut self, failure: &'a Failure<'a, E>) -> Self::Future;
}

impl<'a, E: 'a, F, Fut> FailureHook<'a, E> for F
where
    F: FnMut(&'a Failure<'a, E>) -> Fut,
    Fut: Future<Output: HookResult>,
{
    type Future = Fut;

    fn call(&mut self, failure: &'a Failure<'a, E>) -> Fut {
        self(failure)
    }
}

impl<'a, E: 'a> FailureHook<'a, E> for NoHook {
    type Future = Ready<()>;

    fn call(&mut self, _: &Failure<'a, E>) -> Ready<()> {
        ready(())
    }
}

/// An `on_give_up` hook; implemented by every `AsyncFnMut(&GiveUp<E>)` that lends nothing of its own state.
pub trait GiveUpHook<'a, E: 'a> {
    /// The future of the hook.
    type Future: Future<Output: HookResult>;

    /// Calls the hook.
    fn call(&mut self, give_up: &'a GiveUp<'a, E>) -> Self::Future;
}

impl<'a, E: 'a, F, Fut> GiveUpHook<'a, E> for F
where
    F: FnMut(&'a GiveUp<'a, E>) -> Fut,
    Fut: Future<Output: HookResult>,
{
    type Future = Fut;

    fn call(&mut self, give_up: &'a GiveUp<'a, E>) -> Fut {
        self(give_up)
    }
}

impl<'a, E: 'a> GiveUpHook<'a, E> for NoHook {
    type Future = Ready<()>;

    fn call(&mut self, _: &GiveUp<'a, E>) -> Ready<()> {
        ready(())
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
    P: Decide<E, ByDisposition>,
    WatchedClock<P>: CutInto<Result<T, E>>,
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
        let upcoming = call.upcoming();
        let stopped = run_hook(call.deadline(), before.call(&upcoming)).await;
        let (outcome, reason, cut) = loop {
            call.begin();
            let ended = call.run(operation()).await;
            let keep = |value: &T| wants_other.retries(value);
            let (outcome, pause, cut) =
                match call.judge(&policy, &rule, ended, keep).unless(stopped) {
                    Verdict::Success(outcome) => return outcome,
                    Verdict::GiveUp(outcome, reason, cut) => break (outcome, reason, cut),
                    Verdict::Retry(outcome, pause, cut) => (outcome, pause, cut),
                };
            let failure = call.failure(name, &outcome, &pause, cut);
            if let Err(reason) = run_hook(call.deadline(), on_failure.call(&failure)).await {
                break (outcome, reason, cut);
            }
            if let Err(reason) = call.check_time(&pause) {
                break (outcome, reason, cut);
            }
            wait(pause.delay()).await;
            let upcoming = call.upcoming();
            if let Err(reason) = run_hook(call.deadline(), before.call(&upcoming)).await {
                break (outcome, reason, cut);
            }
        };
        let give_up = call.give_up(name, &outcome, reason, cut);
        // Whatever it answers, the call is over.
        let _: Result<(), Reason> = run_hook(None, on_give_up.call(&give_up)).await;
        outcome
    }
}

impl<P, Op, V> Parts<P, Op, V> {
    fn new(retry: Retry<P, Op, V>) -> Self {
        Self { retry, name: "", before: NoHook, on_failure: NoHook, on_give_up: NoHook }
    }
}

impl<P, Op, V, F, G> Parts<P, Op, V, NoHook, F, G> {
    fn before<H>(self, before: H) -> Parts<P, Op, V, H, F, G> {
        let Self { retry, name, before: NoHook, on_failure, on_give_up } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

impl<P, Op, V, B, G> Parts<P, Op, V, B, NoHook, G> {
    fn on_failure<H>(self, on_failure: H) -> Parts<P, Op, V, B, H, G> {
        let Self { retry, name, before, on_failure: NoHook, on_give_up } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

impl<P, Op, V, B, F> Parts<P, Op, V, B, F, NoHook> {
    fn on_give_up<H>(self, on_give_up: H) -> Parts<P, Op, V, B, F, H> {
        let Self { retry, name, before, on_failure, on_give_up: NoHook } = self;
        Parts { retry, name, before, on_failure, on_give_up }
    }
}

/// A [`Hooked`] whose future is made by [`Run::run`].
fn hooked<C: Run>(parts: C) -> Hooked<C, impl Drive<C, Future = impl Future<Output = C::Output>>> {
    Hooked { parts, drive: C::run }
}

impl<P, Op, Fut, T, E, V> Retry<P, Op, V>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook before every attempt.
    ///
    /// One that fails ends the retrying: the caller gets the last error; before the first attempt there is none, so
    /// that attempt is made, and no other.
    pub fn before<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, H, NoHook, NoHook>,
        impl Drive<Parts<P, Op, V, H, NoHook, NoHook>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&Attempt) -> X,
        Parts<P, Op, V, H, NoHook, NoHook>: Run<Output = Result<T, E>>,
    {
        hooked(Parts::new(self).before(hook))
    }

    /// Awaits a hook after every failure that will be retried, before the wait: the place to repair.
    ///
    /// One that fails ends the retrying, and the caller gets the operation's error.
    pub fn on_failure<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, NoHook, H, NoHook>,
        impl Drive<Parts<P, Op, V, NoHook, H, NoHook>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&Failure<'_, E>) -> X,
        Parts<P, Op, V, NoHook, H, NoHook>: Run<Output = Result<T, E>>,
    {
        hooked(Parts::new(self).on_failure(hook))
    }

    /// Awaits a hook once, when the call ends without success.
    pub fn on_give_up<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, NoHook, NoHook, H>,
        impl Drive<Parts<P, Op, V, NoHook, NoHook, H>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&GiveUp<'_, E>) -> X,
        Parts<P, Op, V, NoHook, NoHook, H>: Run<Output = Result<T, E>>,
    {
        hooked(Parts::new(self).on_give_up(hook))
    }

    /// Names the operation, for hooks that serve several.
    pub fn name(
        self,
        name: &'static str,
    ) -> Hooked<
        Parts<P, Op, V>,
        impl Drive<Parts<P, Op, V>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        Parts<P, Op, V>: Run<Output = Result<T, E>>,
    {
        hooked(Parts { name, ..Parts::new(self) })
    }
}

impl<P, Op, Fut, T, E, V, F, G, D> Hooked<Parts<P, Op, V, NoHook, F, G>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook before every attempt.
    ///
    /// One that fails ends the retrying: the caller gets the last error; before the first attempt there is none, so
    /// that attempt is made, and no other.
    pub fn before<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, H, F, G>,
        impl Drive<Parts<P, Op, V, H, F, G>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&Attempt) -> X,
        Parts<P, Op, V, H, F, G>: Run<Output = Result<T, E>>,
    {
        hooked(self.parts.before(hook))
    }
}

impl<P, Op, Fut, T, E, V, B, G, D> Hooked<Parts<P, Op, V, B, NoHook, G>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook after every failure that will be retried, before the wait: the place to repair.
    ///
    /// One that fails ends the retrying, and the caller gets the operation's error.
    pub fn on_failure<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, B, H, G>,
        impl Drive<Parts<P, Op, V, B, H, G>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&Failure<'_, E>) -> X,
        Parts<P, Op, V, B, H, G>: Run<Output = Result<T, E>>,
    {
        hooked(self.parts.on_failure(hook))
    }
}

impl<P, Op, Fut, T, E, V, B, F, D> Hooked<Parts<P, Op, V, B, F, NoHook>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook once, when the call ends without success.
    pub fn on_give_up<H, X>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, B, F, H>,
        impl Drive<Parts<P, Op, V, B, F, H>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: AsyncFnMut(&GiveUp<'_, E>) -> X,
        Parts<P, Op, V, B, F, H>: Run<Output = Result<T, E>>,
    {
        hooked(self.parts.on_give_up(hook))
    }
}
