//! The connections of transactions: none is left behind, and a slow line is no obstacle.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{Constant, RetryPolicy};
use retry_tests::{Bench, Fault};
use tokio::time::{Instant, sleep, timeout};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(3);

async fn bench(attempt: Duration) -> Bench {
    let bench = Bench::connect(POLICY.attempt_timeout(attempt)).await;
    Bench { client: bench.client.without_budgets(), ..bench }
}

async fn increment(bench: &Bench) -> FredResult<Vec<i64>> {
    let client = &bench.client;
    client
        .transaction("watched", |_, multi| async move { multi.incr::<(), _>("counter").await })
        .await
}

/// Returns how many connections the server has, once no other is on its way.
async fn connections(bench: &Bench, expected: usize) -> usize {
    let begin = Instant::now();
    loop {
        let list = bench.server.text(&["CLIENT", "LIST", "TYPE", "normal"]);
        // One is that of the question.
        let connections = list.lines().filter(|line| !line.contains("cmd=client")).count();
        if connections == expected || begin.elapsed() > Duration::from_secs(5) {
            return connections;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The handshake takes several answers, each slow; an attempt has time for one.
#[tokio::test]
async fn connecting_may_take_longer_than_an_attempt() {
    let bench = bench(Duration::from_millis(150)).await;
    let before = connections(&bench, 2).await;
    bench.proxy.inject("CLIENT", Fault::Delay(Duration::from_millis(400)), u32::MAX);
    for counter in 1..=3 {
        assert_eq!(increment(&bench).await, Ok(vec![counter]));
    }
    assert_eq!(connections(&bench, before + 1).await, before + 1);
}

/// However a transaction ends while it connects.
#[tokio::test]
async fn a_transaction_that_is_cut_leaves_no_connection() {
    let bench = bench(Duration::from_millis(150)).await;
    let before = connections(&bench, 2).await;
    bench.proxy.inject("CLIENT", Fault::HoldReply, u32::MAX);
    for _ in 0..20 {
        timeout(Duration::from_millis(30), increment(&bench)).await.expect_err("it connects");
    }
    assert_eq!(connections(&bench, before).await, before);
    let limited = bench.client.with_policy(POLICY.deadline(Duration::from_millis(100)));
    let begin = Instant::now();
    limited
        .transaction::<Value, _, _, _>("watched", |_, multi| async move {
            multi.incr::<(), _>("counter").await
        })
        .await
        .expect_err("no connection is made");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(connections(&bench, before).await, before);
    assert_eq!(bench.server.number(&["GET", "counter"]), 0);
}

#[tokio::test]
async fn a_client_that_is_dropped_takes_its_connections_along() {
    let bench = bench(Duration::from_secs(5)).await;
    let (first, second) = tokio::join!(increment(&bench), increment(&bench));
    first.and(second).expect("nothing is in the way");
    let Bench { server, proxy, client } = bench;
    client.quit().await.expect("connected");
    drop(client);
    let begin = Instant::now();
    while server.text(&["CLIENT", "LIST", "TYPE", "normal"]).lines().count() > 1 {
        assert!(begin.elapsed() < Duration::from_secs(5), "connections are left");
        sleep(Duration::from_millis(20)).await;
    }
    drop(proxy);
}

/// Nothing is executed before `EXEC`, so the body can be aborted wherever it is.
#[tokio::test]
async fn a_deadline_cuts_the_body() {
    let bench = bench(Duration::from_secs(5)).await;
    let limited = bench.client.with_policy(POLICY.deadline(Duration::from_millis(300)));
    let bodies = ["blocks", "reads again and again", "is always ready"];
    for body in bodies {
        let begin = Instant::now();
        let transaction = limited.transaction::<(), _, _, _>("watched", |watched, _| async move {
            while begin.elapsed() < Duration::from_secs(3) {
                match body {
                    "blocks" => watched.blpop::<Option<Value>, _>("list", 3.0).await.map(drop)?,
                    "is always ready" => tokio::task::coop::consume_budget().await,
                    _ => {
                        watched.get::<(), _>("key").await?;
                        sleep(Duration::from_millis(20)).await;
                    }
                }
            }
            Ok(())
        });
        let error = transaction.await.expect_err("too long");
        assert_eq!(*error.kind(), fred::error::ErrorKind::Timeout, "{body}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(1), "{body}: {:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn the_time_that_options_give_holds_for_what_blocks_in_the_body() {
    let bench = bench(Duration::from_secs(5)).await;
    let timeout = Some(Duration::from_millis(200));
    let client = bench.client.with_policy(POLICY.retries(0));
    let client = client.with_options(&Options { timeout, ..Options::default() });
    for block in [0.0, 3.0] {
        let begin = Instant::now();
        let transaction = client.transaction::<(), _, _, _>("watched", |watched, _| async move {
            watched.blpop::<Option<Value>, _>("list", block).await.map(drop)
        });
        transaction.await.expect_err("too long");
        assert!(begin.elapsed() < Duration::from_secs(1), "{block}: {:?}", begin.elapsed());
    }
}
