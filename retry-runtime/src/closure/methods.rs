#![expect(clippy::type_complexity, reason = "an opaque type inside cannot be given a name")]

use std::future::Future;

use super::{
    Hooked, Retry,
    hook::{NoHook, Notify},
    hooked::{Drive, Parts, Run, hooked},
};
use crate::failure::{Attempt, Failure, GiveUp};

impl<P, Op, Fut, T, E, V> Retry<P, Op, V>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook before every attempt; a call that cannot begin runs none.
    ///
    /// A hook that fails ends the retrying, and the caller gets the last error.
    /// Before the first attempt there is no error yet, so that attempt is made and no other follows.
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

    /// Awaits a hook after every failure that will be retried, before the wait: for repairs, such as a new connection.
    ///
    /// A hook that fails ends the retrying, and the caller gets the operation's error.
    /// For a plain closure there is [`notify`](Self::notify).
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

    /// Calls a plain closure after every failure that will be retried, to log or count.
    ///
    /// A call has either this or [`on_failure`](Self::on_failure), which awaits its hook and can end the retrying.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::{io, time::Duration};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let result: io::Result<()> = RetryPolicy::constant(Duration::ZERO)
    ///     .retry(async || Err(io::ErrorKind::ConnectionRefused.into()))
    ///     .notify(|failure| println!("{failure}"))
    ///     .await;
    /// assert!(result.is_err());
    /// # Ok::<(), io::Error>(())
    /// # })?;
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn notify<H>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, NoHook, Notify<H>, NoHook>,
        impl Drive<
            Parts<P, Op, V, NoHook, Notify<H>, NoHook>,
            Future = impl Future<Output = Result<T, E>>,
        >,
    >
    where
        H: FnMut(&Failure<'_, E>),
        Parts<P, Op, V, NoHook, Notify<H>, NoHook>: Run<Output = Result<T, E>>,
    {
        hooked(Parts::new(self).on_failure(Notify(hook)))
    }

    /// Awaits a hook once, when the call ends without success.
    ///
    /// Like every hook, it ends at the deadline of the call, or when the call is cancelled; if that has already happened, it
    /// runs until it first waits.
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
        let mut parts = Parts::new(self);
        parts.name = name;
        hooked(parts)
    }
}

impl<P, Op, Fut, T, E, V, F, G, D> Hooked<Parts<P, Op, V, NoHook, F, G>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook before every attempt; a call that cannot begin runs none.
    ///
    /// A hook that fails ends the retrying, and the caller gets the last error.
    /// Before the first attempt there is no error yet, so that attempt is made and no other follows.
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
    /// Awaits a hook after every failure that will be retried, before the wait: for repairs, such as a new connection.
    ///
    /// A hook that fails ends the retrying, and the caller gets the operation's error.
    /// For a plain closure there is [`notify`](Self::notify).
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

    /// Calls a plain closure after every failure that will be retried, to log or count.
    ///
    /// A call has either this or [`on_failure`](Self::on_failure), which awaits its hook and can end the retrying.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::{io, time::Duration};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let result: io::Result<()> = RetryPolicy::constant(Duration::ZERO)
    ///     .retry(async || Err(io::ErrorKind::ConnectionRefused.into()))
    ///     .notify(|failure| println!("{failure}"))
    ///     .await;
    /// assert!(result.is_err());
    /// # Ok::<(), io::Error>(())
    /// # })?;
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn notify<H>(
        self,
        hook: H,
    ) -> Hooked<
        Parts<P, Op, V, B, Notify<H>, G>,
        impl Drive<Parts<P, Op, V, B, Notify<H>, G>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        H: FnMut(&Failure<'_, E>),
        Parts<P, Op, V, B, Notify<H>, G>: Run<Output = Result<T, E>>,
    {
        hooked(self.parts.on_failure(Notify(hook)))
    }
}

impl<P, Op, Fut, T, E, V, B, F, D> Hooked<Parts<P, Op, V, B, F, NoHook>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Awaits a hook once, when the call ends without success.
    ///
    /// Like every hook, it ends at the deadline of the call, or when the call is cancelled; if that has already happened, it
    /// runs until it first waits.
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

impl<P, Op, V, B, F, G, D> Hooked<Parts<P, Op, V, B, F, G>, D> {
    /// Names the operation, for hooks that serve several.
    pub fn name(mut self, name: &'static str) -> Self {
        self.parts.name = name;
        self
    }
}
