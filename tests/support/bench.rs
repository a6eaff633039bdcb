use std::{fmt, time::Duration};

use fred::prelude::*;
use retry_runtime::{
    fred::{RetryClient, WithRetry},
    policy::{Answer, Decide},
};

use crate::{FaultProxy, RedisServer, redis};

/// A policy for a client.
pub trait ClientPolicy:
    Decide<Error, Answer, State: Send + Sync> + fmt::Debug + Send + Sync + 'static
{
}

impl<P> ClientPolicy for P where
    P: Decide<Error, Answer, State: Send + Sync> + fmt::Debug + Send + Sync + 'static
{
}

/// A server, a proxy that makes faults, and a client behind it.
#[derive(Debug)]
pub struct Bench {
    pub server: RedisServer,
    pub proxy: FaultProxy,
    pub client: RetryClient,
}

impl Bench {
    /// Starts all three; the client owns its connection.
    pub async fn connect(policy: impl ClientPolicy) -> Self {
        Self::builder().await.connect(policy).await
    }

    /// Starts a server and a proxy for a client with settings of its own.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn builder() -> BenchBuilder {
        let server = RedisServer::start(&[]);
        let proxy = FaultProxy::start(server.port()).await.expect("a free port");
        let client = Builder::from_config(redis(proxy.port()));
        BenchBuilder { server, proxy, client }
    }

    /// Returns the value of a key, past the proxy; empty if there is none.
    pub fn value(&self, key: &str) -> String {
        self.server.text(&["GET", key])
    }
}

/// A server, a proxy, and the settings of a client that is still to be made.
#[derive(Debug)]
pub struct BenchBuilder {
    server: RedisServer,
    proxy: FaultProxy,
    client: Builder,
}

impl BenchBuilder {
    /// Changes fred's settings of the client.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Builder)) -> Self {
        change(&mut self.client);
        self
    }

    /// Reconnects 10 ms after a loss.
    #[must_use]
    pub fn reconnect_at_once(self) -> Self {
        self.settings(|client| {
            client.set_policy(ReconnectPolicy::new_constant(0, 10));
        })
    }

    /// Sets how long fred waits for an answer.
    #[must_use]
    pub fn command_timeout(self, timeout: Duration) -> Self {
        self.settings(|client| {
            client.with_performance_config(|performance| {
                performance.default_command_timeout = timeout;
            });
        })
    }

    /// Makes a client that owns its connection, as [`RetryClient::connect_with`] does.
    ///
    /// # Panics
    ///
    /// If it does not connect.
    pub async fn connect(self, policy: impl ClientPolicy) -> Bench {
        let client = RetryClient::connect_with(self.client, policy).await;
        let client = client.expect("the server is up");
        Bench { server: self.server, proxy: self.proxy, client }
    }

    /// Wraps a client of fred and connects the result.
    ///
    /// # Panics
    ///
    /// If it does not connect.
    pub async fn wrap(self, policy: impl ClientPolicy) -> Bench {
        let client = self.client.build().expect("the configuration is complete").with_retry(policy);
        client.init().await.expect("the server is up");
        Bench { server: self.server, proxy: self.proxy, client }
    }

    /// Wraps a client of fred that is connected already, so that fred owns the connection.
    ///
    /// # Panics
    ///
    /// If it does not connect.
    pub async fn wrap_connected(self, policy: impl ClientPolicy) -> Bench {
        let client = self.client.build().expect("the configuration is complete");
        client.init().await.expect("the server is up");
        Bench { server: self.server, proxy: self.proxy, client: client.with_retry(policy) }
    }
}
