//! The kinds of fred clients that can be wrapped.

use std::{future::Future, pin::Pin};

use ::fred::{
    clients::{Client, Pool, WithOptions},
    interfaces::ClientLike,
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

    /// Returns one of the parts.
    #[doc(hidden)]
    fn part(&self, index: usize) -> Self::Part {
        self.parts().swap_remove(index)
    }

    /// Returns a client for each part that reaches it alone.
    #[doc(hidden)]
    fn members(&self) -> Vec<Self> {
        vec![self.clone()]
    }

    /// Whether commands go to a primary, so that `READONLY` says that the connection leads to another server.
    #[doc(hidden)]
    const WRITES: bool = true;

    /// Whether the client is there for what the server sends by itself.
    #[doc(hidden)]
    const LISTENS: bool = false;
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

macro_rules! single_clients {
    ($($(#[$meta:meta])* $client:ty, $listens:literal;)*) => {$(
        $(#[$meta])*
        impl sealed::Sealed for $client {}

        $(#[$meta])*
        impl Target for $client {
            type Client = Self;
            type Part = Self;
            const LISTENS: bool = $listens;

            fn parts(&self) -> Vec<Self> {
                vec![self.clone()]
            }

            fn split(self) -> (Self, Options) {
                (self, Options::default())
            }
        }
    )*};
}

single_clients! {
    Client, false;
    #[cfg(feature = "subscriber-client")]
    ::fred::clients::SubscriberClient, true;
    #[cfg(feature = "sentinel-client")]
    ::fred::clients::SentinelClient, false;
}

impl sealed::Sealed for Pool {}

impl Target for Pool {
    type Client = Self;
    type Part = Client;

    fn parts(&self) -> Vec<Client> {
        self.clients().to_vec()
    }

    fn members(&self) -> Vec<Self> {
        // fred refuses only a pool of nobody.
        let alone = |member: &Client| Self::from_clients(vec![member.clone()]).ok();
        self.clients().iter().filter_map(alone).collect()
    }

    fn split(self) -> (Self, Options) {
        (self, Options::default())
    }
}

#[cfg(feature = "replicas")]
impl<C: Target> sealed::Sealed for ::fred::clients::Replicas<C> {}

#[cfg(feature = "replicas")]
impl<C: Target> Target for ::fred::clients::Replicas<C> {
    type Client = Self;
    type Part = Self;
    const WRITES: bool = false;

    fn parts(&self) -> Vec<Self> {
        vec![self.clone()]
    }

    fn split(self) -> (Self, Options) {
        (self, Options::default())
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
}
