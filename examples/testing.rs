//! How to test a service that retries: this file is a test of one, run as a program.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{
    GiveUpReason, RetryPolicy,
    fred::RetryClient,
    testing::{self, Fault, FaultProxy, Overrides},
};

/// The service under test: takes an order, and counts it once.
async fn order(client: &RetryClient, item: &str) -> FredResult<i64> {
    client.incr(format!("orders:{item}")).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = retry_server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let config = Config::from_url(&format!("redis://127.0.0.1:{}", proxy.port()))?;
    let client = RetryClient::connect(config, RetryPolicy::exponential().retries(5)).await?;

    // A server that is out of memory twice is waited for.
    proxy.inject("INCR", Fault::ErrorInstead("OOM command not allowed".into()), 2);
    let run = testing::record(order(&client, "tea")).await;
    assert_eq!((run.attempts(), run.output?), (3, 1));
    println!("refused twice, ordered once, after waits of {:?}", run.calls[0].delays);

    // The order was counted and the answer lost: it must not be counted again.
    proxy.inject("INCR", Fault::LoseReply, 1);
    let run = testing::record(order(&client, "tea")).await;
    assert_eq!(run.reason(), Some(GiveUpReason::NotIdempotent));
    assert!(run.output.is_err());
    let orders: i64 = client.get("orders:tea").await?;
    assert_eq!((orders, proxy.sent("INCR")), (2, 4));
    println!("the answer was lost, and the order counted once: {orders}");

    // Where a test is not about retries, they are switched off, or cost no time.
    proxy.inject("INCR", Fault::ErrorInstead("BUSY a script".into()), 1);
    let once = Overrides::new().without_retries().scope(order(&client, "milk"));
    assert!(once.await.is_err());
    proxy.inject("INCR", Fault::ErrorInstead("BUSY a script".into()), 5);
    let fast = Overrides::new().max_delay(Duration::ZERO).scope(order(&client, "milk"));
    assert_eq!(fast.await?, 1);
    println!("retries switched off, and without waiting");
    Ok(())
}
