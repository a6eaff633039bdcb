//! Events and metrics: what is told, and that the end of a call is told exactly once.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Recorder, SharedString, Unit};
use retry_runtime::{
    Budget, CircuitBreaker, RetryPolicy, budget::Cost, retryable, testing::Outcomes,
};
use retry_tests::Events;
use tokio_util::sync::CancellationToken;
use tracing::Level;

use super::{Failed, SECOND};

pub(crate) async fn told<F: Future>(call: F) -> Vec<(Level, String)> {
    let events = Events::listen();
    call.await;
    events.take()
}

#[retryable(policy = constant(delay = "1s", retries = 2))]
async fn push(outcomes: &Outcomes<Result<u32, Failed>>) -> Result<u32, Failed> {
    outcomes.next()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_a_success_at_once() {
    let outcomes = Outcomes::new([Ok(7)]);
    assert_eq!(told(push(&outcomes)).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_a_warning_and_its_success_no_news() {
    let outcomes = Outcomes::new([Err(Failed::Refused), Ok(7)]);
    let told = told(push(&outcomes)).await;
    let expected = [
        (
            Level::WARN,
            "message=attempt failed, will retry operation=push attempt=1 delay=1s \
             disposition=not_executed error.class=REFUSED error.message=Refused"
                .to_owned(),
        ),
        (
            Level::DEBUG,
            "message=call succeeded after a retry operation=push attempt=2 \
             reason=success_after_retry"
                .to_owned(),
        ),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_failure_is_an_error() {
    let refused = Err(Failed::Refused);
    let outcomes = Outcomes::new([refused, refused, refused]);
    let told = told(push(&outcomes)).await;
    let levels: Vec<_> = told.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::WARN, Level::WARN, Level::ERROR]);
    assert!(told[2].1.ends_with("reason=retries_exhausted"), "{told:?}");
    assert!(told[2].1.contains("attempt=3"), "{told:?}");
}

/// A `before` hook that fails at the first attempt lets no retry follow; the event said that one would.
#[tokio::test(start_paused = true)]
async fn a_first_hook_that_fails_tells_of_no_retry() {
    #[retryable(policy = constant(delay = "1s", retries = 2), budget = budget, before = |_| Err::<(), ()>(()))]
    async fn hooked(budget: &Budget) -> Result<(), Failed> {
        Err(Failed::Refused)
    }
    let budget = Budget::new();
    let closure = RetryPolicy::constant(SECOND)
        .retry(async || Err::<(), _>(Failed::Refused))
        .before(async |_| Err::<(), ()>(()));
    for told in [told(hooked(&budget)).await, told(closure.into_future()).await] {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1.ends_with("reason=hook_failed"), "{told:?}");
    }
    assert_eq!(budget.statistics().withdrawn, 0, "no retry is paid for");
}

/// One of every ending; each tells its end once.
#[tokio::test(start_paused = true)]
async fn every_ending_is_told_exactly_once() {
    let fail = async || Err::<(), _>(Failed::Refused);
    let policy = RetryPolicy::constant(SECOND).retries(9);
    let ends = |told: Vec<(Level, String)>| {
        let ends =
            told.into_iter().filter_map(|(_, text)| Some(text.split_once("reason=")?.1.to_owned()));
        ends.collect::<Vec<_>>()
    };
    assert_eq!(
        ends(told(policy.retries(1).retry(fail).into_future()).await),
        ["retries_exhausted"]
    );
    let lost = policy.retry(async || Err::<(), _>(Failed::Lost));
    assert_eq!(ends(told(lost.into_future()).await), ["not_idempotent"]);
    let broken = policy.retry(async || Err::<(), _>(Failed::Broken));
    assert_eq!(ends(told(broken.into_future()).await), ["not_retryable"]);
    let late = policy.deadline(5 * SECOND).retry(fail);
    assert_eq!(ends(told(late.into_future()).await), ["deadline"]);
    let slow = policy.attempt_timeout(SECOND).retry(std::future::pending::<Result<(), Failed>>);
    assert_eq!(ends(told(slow.into_future()).await), ["attempt_timeout"]);
    let budget = Budget::builder().capacity(14).build().expect("possible");
    assert_eq!(ends(told(policy.budget(&budget).retry(fail).into_future()).await), ["budget"]);
    let breaker = CircuitBreaker::builder().minimum_calls(2).build().expect("possible");
    let broken = policy.breaker(&breaker).retry(fail);
    assert_eq!(ends(told(broken.into_future()).await), ["breaker_open"]);
    let refused = policy.breaker(&breaker).retry(fail);
    assert_eq!(ends(told(refused.into_future()).await), ["breaker_open"]);
    let token = CancellationToken::new();
    let cancelled = policy.cancel(&token).retry(fail);
    let both = async { tokio::join!(cancelled.into_future(), async { token.cancel() }) };
    assert_eq!(ends(told(both).await), ["cancelled"]);
    let hooked = policy.retry(fail).on_failure(async |_| Err::<(), ()>(()));
    assert_eq!(ends(told(hooked.into_future()).await), ["hook_failed"]);
    let dropped = tokio::time::timeout(SECOND / 2, policy.retry(fail).into_future());
    assert_eq!(ends(told(dropped).await), ["cancelled"]);
    let outcomes = Outcomes::new([Err(Failed::Refused), Ok(7)]);
    assert_eq!(ends(told(push(&outcomes)).await), ["success_after_retry"]);
    let dropped = tokio::time::timeout(
        SECOND / 2,
        policy.retry(std::future::pending::<Result<(), Failed>>).into_future(),
    );
    assert_eq!(ends(told(dropped).await), Vec::<String>::new(), "nothing had failed");
}

#[tokio::test(start_paused = true)]
async fn nested_retries_are_told_with_what_they_multiply_to() {
    let outer = RetryPolicy::constant(SECOND).retries(2);
    let inner = RetryPolicy::constant(SECOND).retries(3);
    let call = outer.retry(|| inner.retry(async || Err::<(), _>(Failed::Refused)).into_future());
    let told = told(call.into_future()).await;
    let nested: Vec<_> = told.iter().filter(|(_, text)| text.contains("multiply")).collect();
    // In the retries of the outer call; its first attempt costs nothing and is not noticed.
    assert_eq!(nested.len(), 2);
    assert!(nested[0].1.contains("enclosing_attempt=2 worst_case_attempts=12"), "{nested:?}");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_tells_each_transition_once() {
    let settings = CircuitBreaker::builder().name("catalog").minimum_calls(4);
    let breaker = settings.build().expect("possible");
    let call = async |outcome: Result<(), ()>| {
        let Ok(admission) = breaker.admit() else { return };
        match outcome {
            Ok(()) => breaker.succeeded(admission),
            Err(()) => breaker.failed(admission),
        }
    };
    let outage = async {
        for outcome in [Ok(()), Ok(()), Ok(()), Err(()), Err(()), Err(()), Err(()), Err(())] {
            call(outcome).await;
        }
        for outcome in [Err(()), Ok(())] {
            tokio::time::sleep(5 * SECOND + SECOND / 100).await;
            call(outcome).await;
        }
        breaker.force_open();
        breaker.force_open();
        call(Ok(())).await;
        tokio::time::sleep(SECOND).await;
        breaker.reset();
        breaker.reset();
    };
    let told = told(outage).await;
    let expected = [
        (Level::WARN, "circuit breaker opened", "closed to=open failures=3 calls=6"),
        (Level::DEBUG, "circuit breaker probes the server", "open to=half_open"),
        (Level::DEBUG, "circuit breaker stays open", "half_open to=open"),
        (Level::DEBUG, "circuit breaker probes the server", "open to=half_open"),
        (Level::WARN, "circuit breaker closed", "half_open to=closed after=10.02s"),
        (Level::WARN, "circuit breaker was forced open", "closed to=forced_open"),
        (Level::WARN, "circuit breaker closed", "forced_open to=closed after=1s"),
    ];
    let expected = expected.map(|(level, message, fields)| {
        (level, format!("message={message} breaker=catalog from={fields}"))
    });
    assert_eq!(told, expected);
}

/// Keeps the counters and the gauges by name and labels.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Counts {
    pub(crate) fn get(&self, name: &str) -> u64 {
        let counts = self.0.lock().expect("not poisoned");
        counts.get(name).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let counts = self.0.lock().expect("not poisoned");
        counts.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.get(name))
    }

    fn of(&self, key: &Key) -> Arc<AtomicU64> {
        let mut name = key.name().to_owned();
        for label in key.labels() {
            write!(name, " {}={}", label.key(), label.value()).expect("text");
        }
        let mut counts = self.0.lock().expect("not poisoned");
        Arc::clone(counts.entry(name).or_default())
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, _: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_attempts_and_outcome() {
    let recorder = Counts::default();
    let guard = metrics::set_default_local_recorder(&recorder);
    let (refused, fine) = (Err(Failed::Refused), Ok(7));
    for outcomes in
        [vec![fine], vec![fine], vec![refused, fine], vec![refused; 3], vec![Err(Failed::Broken)]]
    {
        let _ = push(&Outcomes::new(outcomes)).await;
    }
    drop(guard);
    let calls = |attempts: &str, outcome: &str| {
        recorder.get(&format!("retry.calls operation=push attempts={attempts} outcome={outcome}"))
    };
    assert_eq!(recorder.get("retry.retries operation=push error.type=REFUSED"), 3);
    assert_eq!(calls("first_attempt", "success"), 2);
    assert_eq!(calls("after_retry", "success"), 1);
    assert_eq!(calls("after_retry", "failure"), 1);
    assert_eq!(calls("first_attempt", "failure"), 1);
}

#[retryable(policy = constant(delay = "1s", retries = 9), budget = budget, breaker = breaker)]
async fn guarded(
    budget: &Budget,
    breaker: &CircuitBreaker,
    outcomes: &Outcomes<Result<u32, Failed>>,
) -> Result<u32, Failed> {
    outcomes.next()
}

/// An outage and what follows, with two operations that share their guards.
#[tokio::test(start_paused = true)]
async fn gauges_show_what_is_true_of_a_budget_and_a_breaker_at_every_moment() {
    let recorder = Counts::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let budget = Budget::builder().name("catalog").capacity(28).build().expect("possible");
    let settings = CircuitBreaker::builder().name("catalog").minimum_calls(7);
    let breaker = settings.build().expect("possible");
    let call = async |outcomes| guarded(&budget, &breaker, &Outcomes::new(outcomes)).await.is_ok();
    let other = async |outcomes: Vec<Result<u32, Failed>>| {
        let outcomes = Outcomes::new(outcomes);
        let policy = RetryPolicy::constant(SECOND).budget(&budget).breaker(&breaker);
        policy.retry(async || outcomes.next()).name("other").await.is_ok()
    };
    let gauges = || {
        let level = recorder.gauge("retry.budget.level budget=catalog").round() as u32;
        assert_eq!(level, budget.level());
        (level, recorder.gauge("retry.breaker.state breaker=catalog").round() as u32)
    };
    let refused =
        |guard, operation| recorder.get(&format!("retry.{guard}.refused operation={operation}"));

    assert_eq!(gauges(), (28, 0), "before the first call");
    assert!(call(vec![Err(Failed::Refused), Ok(7)]).await);
    assert_eq!(gauges(), (28, 0));
    assert!(!call(vec![Err(Failed::Refused); 3]).await);
    assert!(!other(vec![Err(Failed::Refused)]).await);
    assert_eq!(gauges(), (0, 0));
    assert_eq!((refused("budget", "guarded"), refused("budget", "other")), (1, 1));
    // The seventh call opens the breaker, and the eighth is not made.
    assert!(!call(vec![Err(Failed::Refused)]).await);
    assert!(!other(vec![]).await);
    assert_eq!(gauges(), (0, 2));
    assert_eq!((refused("breaker", "guarded"), refused("breaker", "other")), (1, 1));
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(gauges(), (0, 2), "no call has found out yet");
    let probe = breaker.admit().expect("a probe");
    assert_eq!(gauges(), (0, 1));
    breaker.succeeded(probe);
    assert_eq!(gauges(), (0, 0));
    for level in 1..=28 {
        assert!(call(vec![Ok(7)]).await, "first attempts refill the budget");
        assert_eq!(gauges(), (level, 0));
    }
    breaker.force_open();
    assert_eq!(gauges(), (28, 2));
    breaker.reset();
    assert_eq!(gauges(), (28, 0));
    let permit = budget.withdraw(Cost::Transient).expect("tokens");
    assert_eq!(gauges(), (14, 0));
    drop(permit);
    assert_eq!(gauges(), (28, 0));
    assert_eq!(
        recorder.names("retry.b"),
        [
            "retry.breaker.refused operation=guarded",
            "retry.breaker.refused operation=other",
            "retry.breaker.state breaker=catalog",
            "retry.budget.level budget=catalog",
            "retry.budget.refused operation=guarded",
            "retry.budget.refused operation=other",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_at_once_that_changes_nothing_shows_nothing() {
    let recorder = Counts::default();
    let (budget, breaker) = (Budget::new(), CircuitBreaker::new());
    let _guard = metrics::set_default_local_recorder(&recorder);
    assert!(guarded(&budget, &breaker, &Outcomes::new([Ok(7)])).await.is_ok());
    assert_eq!(recorder.names("retry.b"), Vec::<String>::new(), "full and closed as before");
    drop(budget.withdraw(Cost::Transient));
    breaker.force_open();
    let names = ["retry.breaker.state breaker=unnamed", "retry.budget.level budget=unnamed"];
    assert_eq!(recorder.names("retry.b"), names);
}
