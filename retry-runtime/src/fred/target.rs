//! The kinds of fred clients that can be wrapped.

use std::{future::Future, pin::Pin, task::Poll};

use ::fred::{
    clients::{Client, Pool, WithOptions},
    interfaces::{ClientLike, EventInterface},
    types::config::Options,
};

use super::commands::NotSentinel;

/// A future without a name.
pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of fred client that can retry its commands.
///
/// Implemented for `Client`, `Pool`, `Replicas`, `SubscriberClient`, `SentinelClient` and each of them
/// `WithOptions`; sealed, because the retries rely on how fred sends the commands of each.
pub trait Target: sealed::Sealed + ClientLike + 'static {
    /// The client under the options.
    type Client: Target;

    /// What fred drives in a task of its own.
    #[doc(hidden)]
    type Part: ClientLike;

    /// Returns what connects on its own: the members of a pool, or the client.
    #[doc(hidden)]
    fn parts(&self) -> Vec<Self::Part>;

    /// Takes the options off, so that ours are not stacked on them: fred keeps only the outer ones.
    #[doc(hidden)]
    fn split(self) -> (Self::Client, Options);

    /// Waits until a connection is made anew; for ever if that is not told.
    #[doc(hidden)]
    fn reconnected(&self) -> BoxFuture<'static, ()>;
}

mod sealed {
    pub trait Sealed {}
}

impl NotSentinel for Client {}

impl NotSentinel for Pool {}

#[cfg(feature = "subscriber-client")]
impl NotSentinel for ::fred::clients::SubscriberClient {}

#[cfg(feature = "replicas")]
impl<C: ClientLike> NotSentinel for ::fred::clients::Replicas<C> {}

/// Waits for an event; lagging behind means that there were events, and a closed channel will have none.
macro_rules! next_event {
    ($receiver:expr) => {{
        let mut receiver = $receiver;
        Box::pin(async move {
            let mut missed = 0;
            loop {
                match receiver.recv().await {
                    Ok(_) => return,
                    // `Lagged` comes once for many events, `Closed` again and again.
                    Err(_) if missed == 0 => missed += 1,
                    Err(_) => std::future::pending::<()>().await,
                }
            }
        })
    }};
}

macro_rules! event_clients {
    ($($(#[$meta:meta])* $client:ty,)*) => {$(
        $(#[$meta])*
        impl sealed::Sealed for $client {}

        $(#[$meta])*
        impl Target for $client {
            type Client = Self;
            type Part = Self;

            fn parts(&self) -> Vec<Self> {
                vec![self.clone()]
            }

            fn split(self) -> (Self, Options) {
                (self, Options::default())
            }

            fn reconnected(&self) -> BoxFuture<'static, ()> {
                next_event!(self.reconnect_rx())
            }
        }
    )*};
}

event_clients! {
    Client,
    #[cfg(feature = "subscriber-client")]
    ::fred::clients::SubscriberClient,
    #[cfg(feature = "sentinel-client")]
    ::fred::clients::SentinelClient,
}

impl sealed::Sealed for Pool {}

impl Target for Pool {
    type Client = Self;
    type Part = Client;

    fn parts(&self) -> Vec<Client> {
        self.clients().to_vec()
    }

    fn split(self) -> (Self, Options) {
        (self, Options::default())
    }

    fn reconnected(&self) -> BoxFuture<'static, ()> {
        let mut members = self.clients().iter().map(Target::reconnected).collect::<Vec<_>>();
        Box::pin(std::future::poll_fn(move |context| {
            let ready = members.iter_mut().any(|member| member.as_mut().poll(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

#[cfg(feature = "replicas")]
impl<C: Target> sealed::Sealed for ::fred::clients::Replicas<C> {}

#[cfg(feature = "replicas")]
impl<C: Target> Target for ::fred::clients::Replicas<C> {
    type Client = Self;
    type Part = Self;

    fn parts(&self) -> Vec<Self> {
        vec![self.clone()]
    }

    fn split(self) -> (Self, Options) {
        (self, Options::default())
    }

    fn reconnected(&self) -> BoxFuture<'static, ()> {
        next_event!(self.client().reconnect_rx())
    }
}

impl<C: Target> sealed::Sealed for WithOptions<C> {}

impl<C: Target> Target for WithOptions<C> {
    type Client = C::Client;
    type Part = C::Part;

    fn parts(&self) -> Vec<C::Part> {
        C::parts(self)
    }

    fn split(self) -> (C::Client, Options) {
        let (client, mut options) = C::clone(&self).split();
        options.extend(self.options());
        (client, options)
    }

    fn reconnected(&self) -> BoxFuture<'static, ()> {
        C::reconnected(self)
    }
}
