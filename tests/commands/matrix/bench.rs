//! What every case runs on.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, WithRetry},
};
use retry_tests::{FaultProxy, RedisServer, redis};

use super::{ATTEMPT, DEADLINE, RETRIES};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Default,
    Idempotent,
    AtMostOnce,
}

pub const CONSENTS: [Consent; 3] = [Consent::Default, Consent::Idempotent, Consent::AtMostOnce];

/// A server, a proxy that makes faults, and a client behind it that reconnects at once.
pub struct Bench {
    pub server: RedisServer,
    pub proxy: FaultProxy,
    pub client: RetryClient,
}

impl Bench {
    pub async fn new() -> Self {
        let server = RedisServer::start(&[]);
        let proxy = FaultProxy::start(server.port()).await.expect("a free port");
        let mut reconnect = ReconnectPolicy::new_constant(0, 5);
        reconnect.set_jitter(0);
        let fred = Builder::from_config(redis(proxy.port()))
            .set_policy(reconnect)
            .with_connection_config(|connection| {
                connection.unresponsive.max_timeout = Some(ATTEMPT);
                connection.unresponsive.interval = Duration::from_millis(20);
            })
            .build()
            .expect("the configuration is complete");
        // Long enough for fred to reconnect, which ends the wait.
        let policy = RetryPolicy::constant(Duration::from_millis(40)).retries(RETRIES);
        let policy = policy.attempt_timeout(ATTEMPT).deadline(DEADLINE);
        // The cases fail more often than a budget allows.
        let client = fred.with_retry(policy).without_budgets();
        client.init().await.expect("the server is up");
        Self { server, proxy, client }
    }

    /// Makes the keys anew, past the proxy, and forgets what was executed.
    pub async fn reset(&self) {
        self.proxy.clear();
        let patient = RetryPolicy::constant(Duration::from_millis(20)).retries(200);
        let patient = self.client.with_policy(patient.attempt_timeout(ATTEMPT));
        patient.ping::<()>(None).await.expect("a connection");
        for words in [
            &["FLUSHALL"][..],
            &["SET", "text", "a"],
            &["RPUSH", "list", "1", "2", "3", "4", "5"],
            &["CONFIG", "RESETSTAT"],
        ] {
            self.server.command(words);
        }
    }

    /// Returns how often the server executed a command, by its own count.
    pub fn executed(&self, name: &str) -> u32 {
        let statistics = self.server.command(&["INFO", "commandstats"]);
        let begin = format!("cmdstat_{}:calls=", name.to_lowercase());
        let line = statistics.lines().find_map(|line| line.strip_prefix(begin.as_str()));
        line.map_or(0, |line| line.split(',').next().expect("a number").parse().expect("a number"))
    }

    pub fn client(&self, consent: Consent) -> RetryClient {
        match consent {
            Consent::Default => self.client.clone(),
            Consent::Idempotent => self.client.idempotent(),
            Consent::AtMostOnce => self.client.at_most_once(),
        }
    }

    /// Returns the value of the key that counts.
    pub fn counter(&self) -> u32 {
        let answer = self.server.command(&["GET", "counter"]);
        answer.split("\r\n").nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Returns the length of the list, which begins with five elements.
    pub fn length(&self) -> u32 {
        let answer = self.server.command(&["LLEN", "list"]);
        answer.trim_start_matches(':').trim_end().parse().expect("a number")
    }
}
