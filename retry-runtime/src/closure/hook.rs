use std::future::{Future, Ready, ready};

use crate::{
    call::hook::HookResult,
    failure::{Attempt, Failure, GiveUp},
};

// `AsyncFnMut` alone would be enough, but a future generic over it is not `Send` once the hook borrows anything
// (rust-lang/rust#138207). These traits name the hook's future at one lifetime, which rustc can look through; the
// `AsyncFnMut` bound beside them lets rustc infer the type of a closure's argument.

/// A `before` hook; implemented by every `AsyncFnMut(&Attempt)` whose future borrows nothing from the closure.
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

/// An `on_failure` hook; implemented by every `AsyncFnMut(&Failure<E>)` whose future borrows nothing from the closure.
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

/// An `on_give_up` hook; implemented by every `AsyncFnMut(&GiveUp<E>)` whose future borrows nothing from the closure.
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

/// Stands for a hook that is not set.
#[derive(Debug, Clone, Copy)]
pub struct NoHook;

/// A plain closure in place of an async hook.
#[derive(Debug, Clone, Copy)]
pub struct Notify<H>(pub(super) H);

impl<'a, E: 'a, H: FnMut(&Failure<'_, E>)> FailureHook<'a, E> for Notify<H> {
    type Future = Ready<()>;

    fn call(&mut self, failure: &'a Failure<'a, E>) -> Ready<()> {
        (self.0)(failure);
        ready(())
    }
}
