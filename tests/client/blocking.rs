//! Blocking commands: who ends them, and when.

use std::time::Duration;

use fred::{prelude::*, types::config::Options};
use retry_runtime::{
    Constant, ErrorClass, RetryPolicy,
    fred::{RetryClient, WithRetry},
};
use retry_tests::{RedisServer, redis};
use tokio::time::{Instant, sleep};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(3);
const GIVEN: Duration = Duration::from_millis(200);

async fn connect(server: &RedisServer) -> RetryClient {
    RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up")
}

/// Waits until a client blocks, and returns its id.
async fn blocked(server: &RedisServer) -> String {
    loop {
        let list = server.text(&["CLIENT", "LIST"]);
        let line = list.lines().find(|line| line.contains("flags=b"));
        if let Some(line) = line {
            let id = line.split([' ', '=']).nth(1);
            return id.expect("the id comes first").to_owned();
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_wait_that_somebody_ended_is_over() {
    let server = RedisServer::start(&[]);
    let client = connect(&server).await;
    let begin = Instant::now();
    let pop = tokio::spawn(async move { client.blpop::<Value, _>("nothing", 10.0).await });
    let id = blocked(&server).await;
    server.command(&["CLIENT", "UNBLOCK", &id, "ERROR"]);
    let error = pop.await.expect("no panic").expect_err("ended");
    assert!(ErrorClass::UNBLOCKED.matches(&error), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(server.executed("blpop"), 1);
}

/// The server ends the wait because it became a replica; nothing was popped.
#[tokio::test]
async fn a_wait_that_a_new_role_ended_is_made_again() {
    let server = RedisServer::start(&[]);
    let client = connect(&server).await;
    let pop = tokio::spawn(async move { client.blpop::<(String, i64), _>("list", 10.0).await });
    blocked(&server).await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    server.command(&["REPLICAOF", "NO", "ONE"]);
    server.command(&["RPUSH", "list", "7"]);
    assert_eq!(pop.await.expect("no panic"), Ok(("list".to_owned(), 7)));
}

/// However the caller says it, and however long the command would block.
#[tokio::test]
async fn a_timeout_that_the_caller_gives_holds_for_blocking_commands() {
    let server = RedisServer::start(&[]);
    let options = Options { timeout: Some(GIVEN), ..Options::default() };
    let limited = POLICY.attempt_timeout(Duration::from_secs(3));
    for number in 0..5 {
        for block in [0.0, 5.0] {
            // On the connection of the last one a command may still block.
            let client = connect(&server).await;
            let variant = match number {
                0 => client.with_options(&options),
                1 => client.with_options(&options).idempotent().with_policy(POLICY.retries(0)),
                2 => client.with_policy(limited).with_options(&options),
                3 => client.with_options(&options).with_policy(limited),
                _ => client.fred().with_options(&options).with_retry(POLICY),
            };
            let begin = Instant::now();
            let error = variant.blpop::<Value, _>("nothing", block).await.expect_err("aborted");
            let elapsed = begin.elapsed();
            assert!(ErrorClass::TIMEOUT.matches(&error), "{number} {block}: {error}");
            assert!(
                (GIVEN..GIVEN + Duration::from_secs(1)).contains(&elapsed),
                "{number} {block}: {elapsed:?}"
            );
        }
    }
}

/// Nothing would be answered on a connection on which a command blocks without end.
#[tokio::test]
async fn a_command_that_was_cut_blocks_nobody() {
    let server = RedisServer::start(&[]);
    let client = connect(&server).await;
    let options = Options { timeout: Some(GIVEN), ..Options::default() };
    client.with_options(&options).blpop::<Value, _>("list", 0.0).await.expect_err("aborted");
    let begin = Instant::now();
    assert_eq!(client.rpush::<i64, _, _>("list", 1).await, Ok(1));
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    assert_eq!(server.number(&["LLEN", "list"]), 1, "popped for nobody");
}

#[tokio::test]
async fn the_attempt_timeout_of_a_policy_leaves_a_blocking_command_its_time() {
    let server = RedisServer::start(&[]);
    let client = connect(&server).await.with_policy(POLICY.attempt_timeout(GIVEN));
    let begin = Instant::now();
    assert_eq!(client.blpop::<Option<Value>, _>("nothing", 1.0).await, Ok(None));
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
}
