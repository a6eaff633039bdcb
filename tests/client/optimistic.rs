//! Transactions based on watched keys: no update is lost.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use fred::{error::ErrorKind, prelude::*};
use retry_runtime::{
    Classify, Disposition, ErrorClass, Exponential, RetryPolicy, fred::RetryClient,
};
use retry_tests::{Bench, Fault, RedisServer, Relay, redis};

const POLICY: RetryPolicy<Exponential> =
    RetryPolicy::exponential().base_delay(Duration::from_millis(5)).retries(50);

/// Reads the counter and sets it one higher: loses updates unless the watch works.
async fn count(client: &RetryClient) -> FredResult<()> {
    let set = client.transaction("counter", |watched, multi| async move {
        let counter: Option<i64> = watched.get("counter").await?;
        let next = counter.unwrap_or(0) + 1;
        multi.set::<(), _, _>("counter", next, None, None, false).await
    });
    set.await.map(|(_,): (String,)| ())
}

#[tokio::test]
async fn no_update_is_lost() {
    let bench = Bench::connect(POLICY).await;
    let tasks = (0..8).map(|_| {
        let client = bench.client.clone();
        tokio::spawn(async move {
            for _ in 0..25 {
                count(&client).await.expect("passes at last");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    assert_eq!(bench.client.get::<u32, _>("counter").await, Ok(200));
}

/// The server forgets the watches with the connection; a client that reconnects would lose the update of the other.
#[tokio::test]
async fn a_connection_that_is_lost_in_between_starts_the_round_again() {
    let bench = Bench::connect(POLICY).await;
    let rounds = AtomicU32::new(0);
    let set = bench.client.transaction("counter", |watched, multi| {
        let first = rounds.fetch_add(1, Ordering::Relaxed) == 0;
        let server = &bench.server;
        async move {
            let counter: Option<i64> = watched.get("counter").await?;
            if first {
                server.command(&["SET", "counter", "10"]);
                server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let next = counter.unwrap_or(0) + 1;
            multi.set::<(), _, _>("counter", next, None, None, false).await
        }
    });
    set.await.map(|(_,): (String,)| ()).expect("passes in the second round");
    assert_eq!(rounds.load(Ordering::Relaxed), 2);
    assert_eq!(bench.client.get::<u32, _>("counter").await, Ok(11));
}

#[tokio::test]
async fn a_key_that_always_changes_ends_with_the_retries() {
    let bench = Bench::connect(POLICY).await;
    let rounds = AtomicU32::new(0);
    let client = bench.client.with_policy(POLICY.retries(3));
    let set = client.transaction("counter", |_, multi| {
        rounds.fetch_add(1, Ordering::Relaxed);
        let server = &bench.server;
        async move {
            server.command(&["INCR", "counter"]);
            multi.set::<(), _, _>("counter", "lost", None, None, false).await
        }
    });
    let error = set.await.map(|_: Value| ()).expect_err("changes every time");
    assert!(ErrorClass::WATCH.matches(&error), "{error:?}");
    assert_eq!(rounds.load(Ordering::Relaxed), 4);
    assert_eq!(bench.client.get::<u32, _>("counter").await, Ok(4));
}

#[tokio::test]
async fn an_error_of_the_body_is_the_callers_at_once() {
    let bench = Bench::connect(POLICY).await;
    let rounds = AtomicU32::new(0);
    let refused = bench.client.transaction("balance", |_, multi| {
        rounds.fetch_add(1, Ordering::Relaxed);
        async move {
            multi.decr::<(), _>("balance").await?;
            Err(Error::new(ErrorKind::Unknown, "too little is left"))
        }
    });
    let error = refused.await.map(|_: Value| ()).expect_err("the body refuses");
    assert_eq!((error.details(), rounds.load(Ordering::Relaxed)), ("too little is left", 1));
    assert_eq!(bench.client.get::<Option<i64>, _>("balance").await, Ok(None));
}

#[tokio::test]
async fn a_transaction_whose_reply_is_lost_is_executed_once() {
    let bench = Bench::connect(POLICY).await;
    bench.proxy.inject("EXEC", Fault::LoseReply, u32::MAX);
    let counted = bench
        .client
        .transaction("counter", |_, multi| async move { multi.incr::<(), _>("counter").await });
    let error = counted.await.map(|_: Value| ()).expect_err("the reply is lost");
    assert_eq!(error.disposition(), Disposition::Unknown);
    assert_eq!(bench.proxy.sent("EXEC"), 1);
    assert_eq!(bench.client.get::<u32, _>("counter").await, Ok(1));
}

/// The connection falls silent while the body reads what it can do without; on another, nothing would be watched.
#[tokio::test]
async fn a_body_that_ignores_an_error_loses_no_update() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let policy = RetryPolicy::constant(Duration::ZERO).retries(2);
    let client = RetryClient::connect(
        redis(relay.port()),
        policy.attempt_timeout(Duration::from_millis(300)),
    )
    .await;
    let client = client.expect("the server is up");
    let rounds = AtomicU32::new(0);
    let counted = client.transaction::<(String,), _, _, _>("counter", |watched, multi| {
        let is_first = rounds.fetch_add(1, Ordering::SeqCst) == 0;
        let (relay, server) = (&relay, &server);
        async move {
            let counter: Option<i64> = watched.get("counter").await?;
            if is_first {
                relay.forget();
                watched.get::<(), _>("decoration").await.expect_err("silence");
                tokio::time::sleep(Duration::from_secs(1)).await;
                server.command(&["INCR", "counter"]);
            }
            let next = counter.unwrap_or(0) + 1;
            multi.set::<(), _, _>("counter", next, None, None, false).await
        }
    });
    let counted = counted.await;
    let expected = 1 + u64::from(counted.is_ok());
    assert_eq!(server.number(&["GET", "counter"]), expected, "{counted:?}");
}
