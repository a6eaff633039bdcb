//! What every case runs on.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{RetryPolicy, fred::RetryClient};
use retry_tests::Bench;

use super::{ATTEMPT, DEADLINE, RETRIES};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Default,
    Idempotent,
    AtMostOnce,
}

pub const CONSENTS: [Consent; 3] = [Consent::Default, Consent::Idempotent, Consent::AtMostOnce];

/// A client that reconnects at once, and that takes a silent connection for lost.
pub async fn bench() -> Bench {
    let mut reconnect = ReconnectPolicy::new_constant(0, 5);
    reconnect.set_jitter(0);
    // Long enough for fred to reconnect, which ends the wait.
    let policy = RetryPolicy::constant(Duration::from_millis(40)).retries(RETRIES);
    let policy = policy.attempt_timeout(ATTEMPT).deadline(DEADLINE);
    let bench = Bench::builder().await.settings(|client| {
        client.set_policy(reconnect).with_connection_config(|connection| {
            connection.unresponsive.max_timeout = Some(ATTEMPT);
            connection.unresponsive.interval = Duration::from_millis(20);
        });
    });
    let bench = bench.wrap(policy).await;
    // The cases fail more often than a budget allows.
    Bench { client: bench.client.without_budgets(), ..bench }
}

/// Makes the keys anew, past the proxy, and forgets what was executed.
pub async fn reset(bench: &Bench) {
    bench.proxy.clear();
    let patient = RetryPolicy::constant(Duration::from_millis(20)).retries(200);
    let patient = bench.client.with_policy(patient.attempt_timeout(ATTEMPT));
    patient.ping::<()>(None).await.expect("a connection");
    for words in [
        &["FLUSHALL"][..],
        &["SET", "text", "a"],
        &["RPUSH", "list", "1", "2", "3", "4", "5"],
        &["CONFIG", "RESETSTAT"],
    ] {
        bench.server.command(words);
    }
}

pub fn client(bench: &Bench, consent: Consent) -> RetryClient {
    match consent {
        Consent::Default => bench.client.clone(),
        Consent::Idempotent => bench.client.idempotent(),
        Consent::AtMostOnce => bench.client.at_most_once(),
    }
}

/// Returns how often the server executed a command, by its own count.
pub fn executed(bench: &Bench, name: &str) -> u32 {
    u32::try_from(bench.server.executed(name)).expect("few")
}

/// Returns the value of the key that counts.
pub fn counter(bench: &Bench) -> u32 {
    u32::try_from(bench.server.number(&["GET", "counter"])).expect("few")
}

/// Returns the length of the list, which begins with five elements.
pub fn length(bench: &Bench) -> u32 {
    u32::try_from(bench.server.number(&["LLEN", "list"])).expect("few")
}
