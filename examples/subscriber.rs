//! A subscriber that survives a lost connection and reports what it may have missed.
//!
//! Redis keeps no messages for a subscriber that is away. So the publisher numbers its messages and stores the last
//! number, and the subscriber compares it with the last one that it has seen. It subscribes first and compares then, so
//! that no message falls in between.
//!
//! The stream of messages outlives the connection: it falls silent, and the next connection has no subscription. So the
//! function below returns when the connection ends, and `#[retryable]` calls it again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use fred::{clients::SubscriberClient, prelude::*, types::CustomCommand};
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, WithRetry},
    retryable,
};
use tokio::time::sleep;

const NEWS: &str = "news";
const LAST: &str = "news:last";

/// What the subscriber has seen.
#[derive(Debug, Default)]
struct Seen {
    last: AtomicU64,
    missed: AtomicU64,
}

impl Seen {
    /// Records a number, and returns the highest one before it.
    fn record(&self, number: u64) -> u64 {
        self.last.fetch_max(number, Ordering::Relaxed)
    }
}

/// Reads news until the connection ends; gives up after ten minutes of failures.
#[retryable(
    policy = exponential(base_delay = "300ms", jitter = equal, retries = unlimited),
    reset_after = "1m",
    give_up_after = "10m",
    idempotent,
    on_failure = |failure| println!("{failure}"),
)]
async fn read_news(
    subscriber: &RetryClient<SubscriberClient>,
    client: &RetryClient,
    seen: &Seen,
) -> FredResult<()> {
    let mut messages = subscriber.fred().message_rx();
    let mut errors = subscriber.fred().error_rx();
    let mut reconnects = subscriber.fred().reconnect_rx();
    subscriber.subscribe(NEWS).await?;
    let last = client.get::<Option<u64>, _>(LAST).await?.unwrap_or(0);
    let before = seen.record(last);
    if before > 0 && before < last {
        println!("missed {}..={last}", before + 1);
        seen.missed.fetch_add(last - before, Ordering::Relaxed);
    }
    loop {
        tokio::select! {
            biased;
            // Also an error if this task was too slow and fred dropped messages.
            message = messages.recv() => {
                let Ok(number) = message?.value.convert() else { continue };
                if seen.record(number) < number {
                    println!("read {number}");
                }
            }
            error = errors.recv() => return Err(error?.0),
            // The client replaces a silent connection without an error.
            server = reconnects.recv() => {
                return Err(Error::new(ErrorKind::IO, format!("reconnected to {}", server?)));
            }
        }
    }
}

/// Publishes a message, and waits until the subscriber knows of it.
async fn publish(client: &RetryClient, seen: &Seen) -> FredResult<()> {
    let number: u64 = client.incr(LAST).await?;
    client.publish::<(), _, _>(NEWS, number).await?;
    while seen.last.load(Ordering::Relaxed) < number {
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = retry_server::Server::start()?;
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9);
    let client = RetryClient::connect_url(&server.url(), policy).await?;
    // A subscriber needs its own connection. `with_retry` also detects one that has gone silent.
    let subscriber = Builder::from_config(Config::from_url(&server.url())?)
        .set_policy(ReconnectPolicy::new_constant(0, 100))
        .build_subscriber_client()?
        .with_retry(policy);
    subscriber.init().await?;

    let seen = Seen::default();
    let story = async {
        sleep(Duration::from_millis(100)).await; // for the subscription
        publish(&client, &seen).await?;
        publish(&client, &seen).await?;
        let kill = CustomCommand::new_static("CLIENT", None::<u16>, false);
        client.custom::<(), _>(kill, vec!["KILL", "TYPE", "pubsub"]).await?;
        publish(&client, &seen).await?;
        publish(&client, &seen).await
    };
    tokio::select! {
        result = read_news(&subscriber, &client, &seen) => result?,
        result = story => result?,
    }
    assert!(seen.missed.load(Ordering::Relaxed) > 0, "{seen:?}");
    subscriber.quit().await?;
    Ok(())
}
