//! The hooks of a client, with their types erased: a client keeps its type whatever hooks it has.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use ::fred::error::Error;

use crate::{
    call::hook::HookResult,
    failure::{Attempt, Failure, GiveUp},
};

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), ()>> + Send + 'a>>;

/// A hook that sees `&T`; its future is named at one lifetime, as in the closure form.
pub trait ClientHook<'a, T: 'a>: Send + Sync {
    /// The future of the hook.
    type Future: Future<Output: HookResult> + Send;

    /// Calls the hook.
    fn call(&self, seen: &'a T) -> Self::Future;
}

impl<'a, T: 'a, F, Fut> ClientHook<'a, T> for F
where
    F: Fn(&'a T) -> Fut + Send + Sync,
    Fut: Future<Output: HookResult> + Send,
{
    type Future = Fut;

    fn call(&self, seen: &'a T) -> Fut {
        self(seen)
    }
}

/// Declares a hook without its type. The borrow of the hook bounds its future: the hook of a variant may borrow.
macro_rules! erased {
    ($name:ident, $seen:lifetime, $type:ty) => {
        pub(super) trait $name: Send + Sync {
            fn run<$seen>(&$seen self, seen: &$seen $type) -> Boxed<$seen>;
        }

        impl<H> $name for H
        where
            H: for<$seen> ClientHook<$seen, $type>,
        {
            fn run<$seen>(&$seen self, seen: &$seen $type) -> Boxed<$seen> {
                Box::pin(ended(self.call(seen)))
            }
        }
    };
}

erased!(BeforeHook, 'a, Attempt);
erased!(FailureHook, 'a, Failure<'a, Error>);
erased!(GiveUpHook, 'a, GiveUp<'a, Error>);

/// The hooks of a client; cloning shares them.
#[derive(Clone, Default)]
pub(super) struct Hooks<'h> {
    pub(super) before: Option<Arc<dyn BeforeHook + 'h>>,
    pub(super) on_failure: Option<Arc<dyn FailureHook + 'h>>,
    pub(super) on_give_up: Option<Arc<dyn GiveUpHook + 'h>>,
}

async fn ended<F: Future<Output: HookResult>>(hook: F) -> Result<(), ()> {
    if hook.await.succeeded() { Ok(()) } else { Err(()) }
}

impl Hooks<'_> {
    /// Tells whether a hook wants to know the time since the start of a call.
    pub(super) fn any(&self) -> bool {
        self.before.is_some() || self.on_failure.is_some() || self.on_give_up.is_some()
    }
}

impl fmt::Debug for Hooks<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hooks")
            .field("before", &self.before.is_some())
            .field("on_failure", &self.on_failure.is_some())
            .field("on_give_up", &self.on_give_up.is_some())
            .finish()
    }
}
