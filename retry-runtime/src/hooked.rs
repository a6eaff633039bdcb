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

macro_rules! hook_methods {
    ([$($params:ident),*] $self:ident => $parts:expr; $name:expr, $before:expr, $on_failure:expr, $on_give_up:expr, [$B:ty, $F:ty, $G:ty], [$($before_bound:tt)*], [$($failure_bound:tt)*], [$($give_up_bound:tt)*]) => {};
}
