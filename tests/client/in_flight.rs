//! What happens to a command in flight when something else happens to its connection.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{Classify, Constant, Disposition, ErrorClass, RetryPolicy};
use retry_tests::{Bench, Fault};
use tokio::{task::JoinHandle, time::sleep};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(50)).retries(5);
/// Until a command has surely arrived at the server.
const SENT: Duration = Duration::from_millis(150);
/// Until whatever would be sent again has been.
const SETTLED: Duration = Duration::from_millis(500);

async fn bench() -> Bench {
    Bench::builder().await.reconnect_at_once().wrap(POLICY).await
}

fn spawn_incr(bench: &Bench) -> JoinHandle<FredResult<i64>> {
    let client = bench.client.clone();
    tokio::spawn(async move { client.incr("counter").await })
}

/// fred closes the connection on such a reply and answers every command on it with its text, executed or not.
#[tokio::test]
async fn a_reply_to_another_command_does_not_make_an_executed_one_be_sent_again() {
    let bench = bench().await;
    let down = "CLUSTERDOWN The cluster is down".to_owned();
    bench.proxy.inject("GET", Fault::ErrorLater(2 * SENT, down), 1);
    let client = bench.client.clone();
    let get = tokio::spawn(async move { client.get::<Option<String>, _>("key").await });
    sleep(SENT / 3).await;
    let error = spawn_incr(&bench).await.expect("no panic").expect_err("the text of the other");
    assert!(ErrorClass::CLUSTER_DOWN.matches(&error), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Unknown);
    assert_eq!(get.await.expect("no panic"), Ok(None), "a read is replayed");
    sleep(SETTLED).await;
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

/// Bytes that are no reply end every command on the connection.
#[tokio::test]
async fn an_undecodable_reply_to_another_command_does_not_either() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::Garble, 1);
    bench.proxy.inject("TTL", Fault::Delay(2 * SENT), 1);
    let client = bench.client.clone();
    // Delays the reply to `GET` until `INCR` is executed.
    let first = tokio::spawn(async move { client.ttl::<i64, _>("key").await });
    sleep(SENT / 3).await;
    let client = bench.client.clone();
    let get = tokio::spawn(async move { client.get::<Option<String>, _>("key").await });
    sleep(SENT / 3).await;
    let error = spawn_incr(&bench).await.expect("no panic").expect_err("nothing decodes");
    assert_eq!(error.disposition(), Disposition::Unknown, "{error:?}");
    assert_eq!(get.await.expect("no panic"), Ok(None), "a read is replayed");
    first.await.expect("no panic").expect("answered before");
    sleep(SETTLED).await;
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

/// fred moves what is in flight to its own retries here, whatever `fail_fast` says.
#[tokio::test]
async fn a_forced_reconnection_sends_nothing_again() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::Delay(2 * SENT), 1);
    let incr = spawn_incr(&bench);
    sleep(SENT).await;
    bench.client.fred().force_reconnection().await.expect("the server is up");
    let error = incr.await.expect("no panic").expect_err("the connection is gone");
    assert_eq!(error.disposition(), Disposition::Unknown, "{error:?}");
    sleep(SETTLED).await;
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

#[tokio::test]
async fn a_reply_that_comes_too_late_is_not_taken_for_another() {
    let bench = bench().await;
    let hasty = bench.client.with_policy(POLICY.attempt_timeout(SENT));
    bench.proxy.inject("INCR", Fault::Delay(2 * SENT), 1);
    let error = hasty.incr::<i64, _>("counter").await.expect_err("too late");
    assert!(ErrorClass::TIMEOUT.matches(&error), "{error:?}");
    for round in 2..20 {
        assert_eq!(bench.client.incr::<i64, _>("counter").await, Ok(round));
    }
    assert_eq!(bench.client.get::<String, _>("counter").await, Ok("19".to_owned()));
}

/// fred sends a command again that nobody waits for any more; not one that may be written once.
#[tokio::test]
async fn a_call_that_is_dropped_in_flight_is_not_sent_again_when_the_connection_is_lost() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::Delay(4 * SENT), 1);
    let incr = spawn_incr(&bench);
    sleep(SENT).await;
    incr.abort();
    bench.server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    sleep(SETTLED).await;
    assert_eq!(bench.client.ping::<String>(None).await, Ok("PONG".to_owned()));
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

#[tokio::test]
async fn a_call_that_is_dropped_during_a_wait_sends_nothing_more() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::ErrorInstead("OOM command not allowed".into()), u32::MAX);
    let slow = bench.client.with_policy(RetryPolicy::constant(2 * SENT));
    let incr = tokio::spawn(async move { slow.incr::<i64, _>("counter").await });
    sleep(SENT).await;
    incr.abort();
    sleep(SETTLED).await;
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("", 1));
}

/// What was lost on the way is unknown; what follows waits for the connection and is executed.
#[tokio::test]
async fn a_server_that_refuses_connections_for_a_while_is_waited_for() {
    let bench = bench().await;
    bench.proxy.refuse(10);
    bench.server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    for round in 1..=3 {
        let value = loop {
            match bench.client.incr::<i64, _>("counter").await {
                Ok(value) => break value,
                Err(error) => assert_eq!(error.disposition(), Disposition::Unknown, "{error:?}"),
            }
        };
        assert!(value >= round);
    }
    let counter: u32 = bench.value("counter").parse().expect("a number");
    assert!(counter <= bench.proxy.sent("INCR"));
}

/// fred does not look after a connection on which a command blocks.
#[tokio::test]
async fn a_connection_that_dies_under_a_blocking_command_is_left() {
    let bench = bench().await;
    let hasty = bench.client.with_policy(POLICY.attempt_timeout(2 * SENT));
    bench.proxy.inject("BLPOP", Fault::HoldReply, 1);
    let error = hasty.blpop::<(String, String), _>("list", 0.1).await.expect_err("no answer");
    assert!(ErrorClass::TIMEOUT.matches(&error), "{error:?}");
    assert_eq!(hasty.incr::<i64, _>("counter").await, Ok(1));
}
