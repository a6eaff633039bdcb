//! Budgets, breakers, cancellation and the statistics of a client.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Recorder, SharedString, Unit};
use retry_runtime::{
    Budget, CircuitBreaker, Constant, Disposition, ErrorClass, GiveUpReason, RetryPolicy,
    fred::{RetryClient, found_nothing},
    testing::{self, Overrides},
};
use retry_tests::{Bench, Fault, RedisCluster};
use tokio_util::sync::CancellationToken;

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(1)).retries(100);
const OOM: &str = "OOM command not allowed";

fn refuse(bench: &Bench, times: u32) {
    bench.proxy.inject("INCR", Fault::ErrorInstead(OOM.to_owned()), times);
}

#[tokio::test]
async fn a_client_has_a_budget_from_the_start() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, u32::MAX);
    let run = testing::record(async { bench.client.incr::<i64, _>("counter").await }).await;
    assert!(ErrorClass::OOM.matches(&run.output.expect_err("always refused")));
    // A server that turns commands away costs 5 of 500 tokens a retry.
    assert_eq!(
        (bench.proxy.sent("INCR"), run.calls[0].reason),
        (101, Some(GiveUpReason::RetriesExhausted))
    );
    // Empty for all calls, and for the clients made from this one.
    let run =
        testing::record(async { bench.client.idempotent().incr::<i64, _>("counter").await }).await;
    assert_eq!((bench.proxy.sent("INCR"), run.calls[0].reason), (102, Some(GiveUpReason::Budget)));
    let statistics = bench.client.statistics();
    assert_eq!(
        (
            statistics.failed_once,
            statistics.retries,
            statistics.failed,
            statistics.refused_by_budget
        ),
        (2, 100, 2, 1)
    );
    assert_eq!(statistics.budgets[0].1.level, 0);
}

#[tokio::test]
async fn no_retry_begins_after_the_time_for_retries() {
    let delay = Duration::from_millis(100);
    let limit = 3 * delay + delay / 2;
    let policy = RetryPolicy::constant(delay).unlimited().retry_for(limit);
    let bench = Bench::connect(policy).await;
    refuse(&bench, u32::MAX);
    let run = testing::record(async { bench.client.incr::<i64, _>("counter").await }).await;
    assert!(ErrorClass::OOM.matches(&run.output.expect_err("always refused")));
    assert_eq!(run.calls[0].reason, Some(GiveUpReason::Deadline));
    // Fewer if the machine is slow, and never one after the limit.
    assert!((2..=4).contains(&bench.proxy.sent("INCR")), "{} sent", bench.proxy.sent("INCR"));
}

#[tokio::test]
async fn successes_fill_it_again() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, 2);
    assert_eq!(bench.client.incr::<i64, _>("counter").await, Ok(1));
    let level = || bench.client.statistics().budgets[0].1.level;
    assert_eq!(level(), 500 - 5, "the retry that succeeded is paid back");
    for round in 2..=4 {
        assert_eq!(bench.client.incr::<i64, _>("counter").await, Ok(round));
    }
    assert_eq!(level(), 500 - 5 + 3);
    for _ in 0..10 {
        bench.client.ping::<()>(None).await.expect("the server is up");
    }
    assert_eq!(level(), 500);
    assert_eq!(bench.client.statistics().recovered, 1);
}

#[tokio::test]
async fn budgets_are_changed_left_out_or_brought_by_the_policy() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, u32::MAX);
    let sent = async |client: &RetryClient| {
        let before = bench.proxy.sent("INCR");
        client.incr::<i64, _>("counter").await.expect_err("always refused");
        bench.proxy.sent("INCR") - before
    };
    let small = Budget::builder().capacity(20);
    assert_eq!(sent(&bench.client.with_budgets(small).expect("possible")).await, 5);
    assert!(bench.client.with_budgets(Budget::builder().capacity(0)).is_err());
    let free = bench.client.without_budgets();
    assert_eq!((sent(&free).await, sent(&free).await), (101, 101));
    let budget = Budget::builder().capacity(14).build().expect("possible");
    let client = bench.client.with_policy(POLICY.budget(&budget));
    assert_eq!(sent(&client).await, 3);
    assert_eq!(client.statistics().budgets, [(None, budget.statistics())], "those that pay");
    assert_eq!(client.statistics().budgets[0].1.level, 4);
    assert_eq!(bench.client.statistics().budgets[0].1.level, 500);
}

#[tokio::test]
async fn budgets_are_named_after_the_server_or_by_the_user() {
    let bench = Bench::connect(POLICY).await;
    let port = bench.proxy.port();
    let has = |client: &RetryClient, name: &str| {
        let text = format!("{client:?}");
        assert!(text.contains(&format!("[Budget(\"{name}\", 500/500)]")), "{text}");
    };
    has(&bench.client, &format!("127.0.0.1:{port}"));
    let named = bench.client.with_budgets(Budget::builder().name("cache")).expect("possible");
    has(&named, "cache");
}

#[tokio::test]
async fn a_breaker_keeps_commands_from_a_server_that_fails() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, u32::MAX);
    let breaker = CircuitBreaker::builder()
        .minimum_calls(4)
        .open_for(Duration::from_millis(200))
        .build()
        .expect("possible");
    let client = bench.client.with_policy(POLICY.breaker(&breaker));
    client.incr::<i64, _>("counter").await.expect_err("refused until the breaker opens");
    assert_eq!(bench.proxy.sent("INCR"), 4);
    let error = client.incr::<i64, _>("counter").await.expect_err("not sent");
    assert!(ErrorClass::BACKPRESSURE.matches(&error), "{error:?}");
    assert_eq!(bench.proxy.sent("INCR"), 4);
    bench.proxy.clear();
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(1), "a probe");
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(2));
}

#[tokio::test]
async fn a_cancelled_command_waits_no_longer() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, u32::MAX);
    let token = CancellationToken::new();
    let slow = RetryPolicy::constant(Duration::from_secs(60)).cancel(&token);
    let client = bench.client.with_policy(slow);
    let begin = Instant::now();
    let (error, ()) = tokio::join!(client.incr::<i64, _>("counter"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        token.cancel();
    });
    assert!(ErrorClass::OOM.matches(&error.expect_err("its own error")));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let error = client.incr::<i64, _>("counter").await.expect_err("not sent");
    assert!(ErrorClass::CANCELED.matches(&error), "{error:?}");
    assert_eq!(bench.proxy.sent("INCR"), 1);
}

#[tokio::test]
async fn tests_switch_the_retries_of_a_client_off() {
    let bench = Bench::connect(POLICY).await;
    refuse(&bench, 1);
    let once = async { bench.client.incr::<i64, _>("counter").await };
    Overrides::new().without_retries().scope(once).await.expect_err("refused");
    assert_eq!(bench.client.incr::<i64, _>("counter").await, Ok(1));
}

#[tokio::test]
async fn a_lost_connection_is_free_until_something_is_sent() {
    let bench = Bench::connect(POLICY).await;
    bench.proxy.inject("INCR", Fault::LoseReply, 1);
    let error = bench.client.incr::<i64, _>("counter").await.expect_err("the reply is lost");
    assert_eq!(retry_runtime::Classify::disposition(&error), Disposition::Unknown);
    assert_eq!(bench.client.statistics().budgets[0].1.level, 500, "nothing was retried");
}

#[tokio::test]
async fn each_node_of_a_cluster_has_its_own() {
    let cluster = RedisCluster::start(Duration::from_secs(2));
    let client = RetryClient::connect(cluster.config(), POLICY.retries(200)).await.expect("up");
    // A list cannot be counted, and the policy says that this passes.
    for key in ["a", "b", "c"] {
        client.rpush::<(), _, _>(key, 1).await.expect("a list");
    }
    let stubborn = client.with_policy(POLICY.retries(200).on(ErrorClass::WRONG_TYPE));
    stubborn.incr::<i64, _>("a").await.expect_err("a list");
    let budgets = client.statistics().budgets;
    let drained: Vec<_> = budgets.iter().filter(|(_, budget)| budget.level < 14).collect();
    assert_eq!(drained.len(), 1, "{budgets:?}");
    let node = drained[0].0.as_ref().expect("an owner of the key");
    let text = format!("{client:?}");
    assert!(text.contains(&format!("Budget(\"{node}\", ")), "{text}");
    // Another node still pays.
    let before = client.statistics().retries;
    stubborn.incr::<i64, _>("b").await.expect_err("a list");
    assert_eq!(client.statistics().retries - before, 35);
}

#[tokio::test]
async fn a_blocking_command_that_finds_nothing_is_no_failure_anywhere() {
    let bench = Bench::connect(POLICY).await;
    let breaker = CircuitBreaker::builder().minimum_calls(2).build().expect("possible");
    let client = bench.client.with_policy(POLICY.breaker(&breaker));
    let hook = client.on_give_up(async |give_up| -> () { panic!("{give_up:?}") });
    let run = testing::record(async {
        for _ in 0..4 {
            let found = hook.blpop::<Option<(String, String)>, _>("empty", 0.1).await;
            assert_eq!(found, Ok(None));
        }
        // A type that has no place for nothing.
        let nothing = hook.blpop::<(String, String), _>("empty", 0.1).await.expect_err("nothing");
        assert!(found_nothing(&nothing), "{nothing:?}");
        let ended = hook.brpop::<Vec<String>, _>("empty", 0.1).await;
        assert_eq!(ended, Ok(Vec::new()));
    });
    let run = run.await;
    assert_eq!(run.calls, [], "nothing failed");
    let statistics = client.statistics();
    assert_eq!((statistics.failed_once, statistics.failed, statistics.recovered), (0, 0, 0));
    assert_eq!((breaker.statistics().calls, breaker.statistics().failures), (6, 0));
    client.rpush::<(), _, _>("full", "job").await.expect("a list");
    let found: Option<(String, String)> = client.blpop("full", 1.0).await.expect("a job");
    assert_eq!(found, Some(("full".to_owned(), "job".to_owned())));
}

/// Keeps the outcomes of calls.
#[derive(Default)]
struct Calls(Mutex<BTreeMap<(String, String), Arc<AtomicU64>>>);

impl Calls {
    fn get(&self, operation: &str, outcome: &str) -> u64 {
        let calls = self.0.lock().expect("not poisoned");
        let count = calls.get(&(operation.to_owned(), outcome.to_owned()));
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

impl Recorder for Calls {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        let label = |name| {
            let found = key.labels().find(|label| label.key() == name);
            found.map_or_else(String::new, |label| label.value().to_owned())
        };
        let mut calls = self.0.lock().expect("not poisoned");
        Counter::from_arc(Arc::clone(
            calls.entry((label("operation"), label("outcome"))).or_default(),
        ))
    }

    fn register_gauge(&self, _: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn a_command_that_is_dropped_in_its_first_attempt_is_counted() {
    let bench = Bench::connect(POLICY).await;
    let calls = Calls::default();
    let _guard = metrics::set_default_local_recorder(&calls);
    let limited = bench.client.with_policy(POLICY.deadline(Duration::from_secs(60)));
    bench.proxy.inject("INCR", Fault::Delay(Duration::from_millis(200)), 2);
    for client in [&bench.client, &limited] {
        let hasty = tokio::time::timeout(Duration::from_millis(20), client.incr::<i64, _>("key"));
        hasty.await.expect_err("no answer in time");
    }
    assert_eq!(calls.get("incr", "cancelled"), 2);
    assert_eq!(bench.client.incr::<i64, _>("key").await, Ok(3));
    refuse(&bench, 1);
    bench.client.without_budgets().incr::<i64, _>("key").await.expect("retried");
    assert_eq!((calls.get("incr", "cancelled"), calls.get("incr", "success")), (2, 2));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_from_one_that_has_nothing() {
    let bench = Bench::connect(POLICY).await;
    let policy = POLICY.retries(0).attempt_timeout(Duration::from_millis(100));
    let client = bench.client.with_policy(policy);
    bench.proxy.inject("BLPOP", Fault::HoldReply, 1);
    let error = client.blpop::<Option<(String, String)>, _>("empty", 0.1).await;
    assert!(!found_nothing(&error.expect_err("no answer")));
}

#[tokio::test]
async fn a_command_that_is_refused_at_once_is_told() {
    let bench = Bench::connect(POLICY).await;
    let given_up = Mutex::new(Vec::new());
    let token = CancellationToken::new();
    token.cancel();
    let none = Duration::ZERO;
    for (client, reason) in [
        (bench.client.with_policy(POLICY.cancel(&token)), GiveUpReason::Cancelled),
        (bench.client.with_policy(POLICY.deadline(none)), GiveUpReason::Deadline),
    ] {
        let client = client.on_give_up(async |give_up| {
            given_up.lock().expect("not poisoned").push(give_up.reason());
        });
        client.incr::<i64, _>("counter").await.expect_err("not sent");
        assert_eq!(std::mem::take(&mut *given_up.lock().expect("not poisoned")), [reason]);
    }
    assert_eq!((bench.proxy.sent("INCR"), bench.client.statistics().failed), (0, 2));
}
