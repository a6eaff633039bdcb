//! The client that retries every command; what counts is what the server executed.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use fred::prelude::*;
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, GiveUpReason, RetryPolicy,
    fred::{DEFAULT_ATTEMPT_TIMEOUT, WithRetry},
};
use retry_tests::{Bench, Fault};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(5);
const ALWAYS: u32 = u32::MAX;

async fn bench() -> Bench {
    with_timeout(Duration::from_secs(1)).await
}

async fn with_timeout(timeout: Duration) -> Bench {
    let bench = Bench::builder().await.reconnect_at_once().command_timeout(timeout);
    bench.wrap_connected(POLICY).await
}

/// redis-py executes it 11 times, coredis 3 times, fred with a reconnect policy 3 times.
#[tokio::test]
async fn an_increment_whose_reply_is_always_lost_is_executed_once() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::LoseReply, ALWAYS);
    let error = bench.client.incr::<i64, _>("counter").await.expect_err("the reply is lost");
    assert_eq!(error.disposition(), Disposition::Unknown);
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

#[tokio::test]
async fn a_lost_connection_before_the_command_looks_the_same_and_is_treated_the_same() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::CutBefore, 1);
    let error = bench.client.incr::<i64, _>("counter").await.expect_err("the command is lost");
    assert_eq!(error.disposition(), Disposition::Unknown);
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("", 1));
}

#[tokio::test]
async fn a_reply_that_does_not_come_in_time_is_unknown_too() {
    let bench = bench().await;
    bench.proxy.inject("LPUSH", Fault::HoldReply, ALWAYS);
    let error = bench.client.lpush::<i64, _, _>("list", vec![1, 2]).await.expect_err("no reply");
    assert!(ErrorClass::TIMEOUT.matches(&error), "{error:?}");
    assert_eq!(bench.server.command(&["LLEN", "list"]), ":2\r\n");
}

#[tokio::test]
async fn consent_makes_every_attempt_count() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::LoseReply, 2);
    assert_eq!(bench.client.idempotent().incr::<i64, _>("counter").await, Ok(3));
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("3", 3));
}

#[tokio::test]
async fn safe_commands_are_replayed_after_an_unknown_outcome() {
    let bench = bench().await;
    bench.proxy.inject("SET", Fault::LoseReply, 2);
    bench.proxy.inject("GET", Fault::CutBefore, 2);
    assert_eq!(bench.client.set::<(), _, _>("key", "a", None, None, false).await, Ok(()));
    assert_eq!(bench.client.get::<String, _>("key").await, Ok("a".to_owned()));
    assert_eq!((bench.proxy.sent("SET"), bench.proxy.sent("GET")), (3, 3));
}

#[tokio::test]
async fn a_lock_is_not_set_twice_because_its_answer_would_be_wrong() {
    let bench = bench().await;
    bench.proxy.inject("SET", Fault::LoseReply, 1);
    let lock =
        bench.client.set::<Option<String>, _, _>("lock", "mine", None, Some(SetOptions::NX), false);
    let error = lock.await.expect_err("the reply is lost");
    assert_eq!((error.disposition(), bench.proxy.sent("SET")), (Disposition::Unknown, 1));
}

#[tokio::test]
async fn at_most_once_replays_nothing_but_what_was_not_executed() {
    let bench = bench().await;
    let client = bench.client.at_most_once();
    bench.proxy.inject("GET", Fault::LoseReply, 1);
    client.get::<Option<String>, _>("key").await.expect_err("the reply is lost");
    assert_eq!(bench.proxy.sent("GET"), 1);
    bench.proxy.inject("GET", Fault::ErrorInstead("TRYAGAIN later".into()), 2);
    assert_eq!(client.get::<Option<String>, _>("key").await, Ok(None));
    assert_eq!(bench.proxy.sent("GET"), 4);
}

#[tokio::test]
async fn what_was_not_executed_is_retried_for_every_command() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::ErrorInstead("OOM command not allowed".into()), 3);
    assert_eq!(bench.client.incr::<i64, _>("counter").await, Ok(1));
    assert_eq!(bench.proxy.sent("INCR"), 4);
    bench.proxy.inject("INCR", Fault::ErrorInstead("BUSY a script".into()), ALWAYS);
    let error = bench.client.incr::<i64, _>("counter").await.expect_err("always busy");
    assert!(ErrorClass::BUSY.matches(&error), "{error:?}");
    assert_eq!((bench.proxy.sent("INCR"), bench.value("counter").as_str()), (10, "1"));
}

/// The error of another command on the connection can be put on ours.
#[tokio::test]
async fn errors_that_other_commands_can_put_on_ours_are_unknown() {
    let bench = bench().await;
    for text in ["CLUSTERDOWN The cluster is down", "READONLY", "LOADING", "NOAUTH"] {
        let before = bench.proxy.sent("INCR");
        bench.proxy.inject("INCR", Fault::ErrorInstead(text.into()), 1);
        let error = bench.client.incr::<i64, _>("counter").await.expect_err(text);
        assert_eq!(
            (error.disposition(), bench.proxy.sent("INCR")),
            (Disposition::Unknown, before + 1)
        );
    }
    assert_eq!(bench.value("counter"), "");
}

#[tokio::test]
async fn a_reply_that_does_not_convert_is_the_callers_at_once() {
    let bench = bench().await;
    let named = bench.client.with_policy(POLICY.on(ErrorClass::ANY));
    let error = named.incr::<Vec<Vec<String>>, _>("counter").await;
    assert!(error.is_ok() || ErrorClass::PARSE.matches(&error.expect_err("checked")));
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

/// Naming errors does not make a write safe; only consent does.
#[tokio::test]
async fn naming_errors_never_repeats_an_unsafe_command_of_unknown_outcome() {
    let bench = bench().await;
    let named = bench.client.with_policy(POLICY.on(ErrorClass::ANY));
    bench.proxy.inject("INCR", Fault::LoseReply, ALWAYS);
    named.incr::<i64, _>("counter").await.expect_err("the reply is lost");
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("INCR")), ("1", 1));
}

#[tokio::test]
async fn a_hook_repairs_and_the_retry_succeeds() {
    let bench = bench().await;
    let client = &bench.client;
    client.set::<(), _, _>("mylist", "text", None, None, false).await.expect("SET works");
    let once = RetryPolicy::constant(Duration::ZERO).retries(1).on(ErrorClass::WRONG_TYPE);
    let seen = Mutex::new(Vec::new());
    let pushed = client
        .with_policy(once)
        .on_failure(async |failure| {
            seen.lock().expect("not poisoned").push((failure.operation(), failure.attempt()));
            client.del::<(), _>("mylist").await
        })
        .lpush::<i64, _, _>("mylist", vec![1, 2, 3])
        .await;
    assert_eq!((pushed, seen.into_inner().expect("not poisoned")), (Ok(3), vec![("lpush", 1)]));
}

#[tokio::test]
async fn the_give_up_hook_tells_that_the_outcome_is_unknown() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::LoseReply, 1);
    let seen = Mutex::new(None);
    let client = bench.client.on_give_up(async |give_up| {
        *seen.lock().expect("not poisoned") = Some((give_up.reason(), give_up.disposition()));
    });
    client.incr::<i64, _>("counter").await.expect_err("the reply is lost");
    let expected = Some((GiveUpReason::NotIdempotent, Disposition::Unknown));
    assert_eq!(*seen.lock().expect("not poisoned"), expected);
}

#[tokio::test]
async fn a_failing_before_hook_ends_the_retrying() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::ErrorInstead("TRYAGAIN".into()), ALWAYS);
    let client = bench.client.before(
        async |attempt| {
            if attempt.number() < 3 { Ok(()) } else { Err("enough") }
        },
    );
    client.get::<(), _>("key").await.expect_err("the hook ends it");
    assert_eq!(bench.proxy.sent("GET"), 2);
}

#[tokio::test]
async fn the_deadline_covers_attempts_and_waits() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::HoldReply, ALWAYS);
    let policy = RetryPolicy::constant(Duration::from_millis(10))
        .unlimited()
        .attempt_timeout(Duration::from_millis(200))
        .deadline(Duration::from_millis(700));
    let begin = Instant::now();
    bench.client.with_policy(policy).get::<(), _>("key").await.expect_err("no reply");
    let elapsed = begin.elapsed();
    assert!((600..=1_500).contains(&elapsed.as_millis()), "{elapsed:?}");
    let zero = bench.client.with_policy(POLICY.deadline(Duration::ZERO));
    let sent = bench.proxy.sent("GET");
    zero.get::<(), _>("key").await.expect_err("no time");
    assert_eq!(bench.proxy.sent("GET"), sent);
}

/// The delay of ten seconds ends when the connection is back.
#[tokio::test]
async fn a_new_connection_ends_the_wait() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::LoseReply, 1);
    let slow = bench.client.with_policy(RetryPolicy::constant(Duration::from_secs(10)));
    let begin = Instant::now();
    assert_eq!(slow.get::<Option<String>, _>("key").await, Ok(None));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_blocking_command_waits_longer_than_the_attempt_timeout() {
    let bench = bench().await;
    let pop = tokio::spawn({
        let client = bench.client.clone();
        async move { client.blpop::<(String, String), _>("list", 5.0).await }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    bench.server.command(&["LPUSH", "list", "late"]);
    assert_eq!(pop.await.expect("no panic"), Ok(("list".into(), "late".into())));
}

#[tokio::test]
async fn an_empty_result_of_a_blocking_command_is_not_retried() {
    let bench = bench().await;
    let begin = Instant::now();
    let empty = bench.client.idempotent().blpop::<(String, String), _>("list", 0.2).await;
    assert!(ErrorClass::TIMEOUT.matches(&empty.expect_err("nothing there")));
    assert_eq!(bench.proxy.sent("BLPOP"), 1);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_dropped_call_sends_nothing_more() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::ErrorInstead("TRYAGAIN".into()), ALWAYS);
    let endless = bench.client.with_policy(POLICY.unlimited());
    let aborted =
        tokio::time::timeout(Duration::from_millis(150), endless.get::<(), _>("key")).await;
    assert!(aborted.is_err());
    // The last command may still be on its way to the proxy.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let sent = bench.proxy.sent("GET");
    assert!(sent > 1);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(bench.proxy.sent("GET"), sent);
}

#[tokio::test]
async fn options_are_merged_and_never_stacked() {
    let bench = bench().await;
    let options = Options {
        max_attempts: Some(7),
        timeout: Some(Duration::from_millis(100)),
        ..Options::default()
    };
    bench.proxy.inject("INCR", Fault::HoldReply, 1);
    let begin = Instant::now();
    let wrapped = bench.client.fred().with_options(&options).with_retry(POLICY);
    wrapped.incr::<i64, _>("counter").await.expect_err("no reply");
    assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
    // Its own policy replaces the one of the wrapped client.
    bench.proxy.inject("GET", Fault::ErrorInstead("TRYAGAIN".into()), ALWAYS);
    let once = bench.client.with_policy(POLICY.retries(1)).with_policy(POLICY.retries(2));
    once.get::<(), _>("key").await.expect_err("never");
    assert_eq!(bench.proxy.sent("GET"), 3);
}

/// Without any timeout fred waits for ever.
#[tokio::test]
async fn a_client_without_a_timeout_gets_one() {
    let bench = with_timeout(Duration::ZERO).await;
    bench.proxy.inject("INCR", Fault::HoldReply, 1);
    let begin = Instant::now();
    let error = bench.client.incr::<i64, _>("counter").await.expect_err("no reply");
    assert!(ErrorClass::TIMEOUT.matches(&error), "{error:?}");
    assert!(begin.elapsed() >= DEFAULT_ATTEMPT_TIMEOUT, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn futures_of_commands_are_send_and_the_client_is_shared() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    let bench = bench().await;
    shared(&bench.client);
    let tasks = (0..20).map(|_| {
        let client = bench.client.clone();
        tokio::spawn(async move { client.incr::<i64, _>("counter").await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic").expect("INCR works");
    }
    assert_eq!(bench.value("counter"), "20");
}

#[tokio::test]
async fn a_time_limit_of_zero_is_none_in_options_and_the_shortest_in_a_policy() {
    let bench = bench().await;
    let none = Options { timeout: Some(Duration::ZERO), ..Options::default() };
    let shortest = POLICY.retries(0).attempt_timeout(Duration::ZERO);
    bench.proxy.inject("INCR", Fault::HoldReply, ALWAYS);
    for client in [bench.client.with_options(&none), bench.client.with_policy(shortest)] {
        let begin = Instant::now();
        let error = client.incr::<i64, _>("counter").await.expect_err("never answered");
        assert!(ErrorClass::TIMEOUT.matches(&error), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn the_timeout_of_the_options_outlives_a_policy_with_one() {
    let bench = bench().await;
    let short = Options { timeout: Some(Duration::from_millis(100)), ..Options::default() };
    let long = POLICY.attempt_timeout(Duration::from_secs(60));
    let client = bench.client.with_options(&short).with_policy(long).with_policy(POLICY);
    bench.proxy.inject("INCR", Fault::HoldReply, 1);
    let begin = Instant::now();
    client.incr::<i64, _>("counter").await.expect_err("never answered");
    assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_script_that_is_refused_halfway_is_not_run_again() {
    let bench = bench().await;
    let code = "redis.call('INCR', KEYS[1])
        return redis.error_reply('OOM command not allowed. script: 1f, on @user_script:1.')";
    bench.client.eval::<i64, _, _, _>(code, "counter", ()).await.expect_err("refused halfway");
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("EVAL")), ("1", 1));
}
