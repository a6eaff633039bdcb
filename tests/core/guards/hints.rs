use std::time::Duration;

use retry_runtime::{
    Budget, CircuitBreaker, Exponential, GiveUpReason, Jitter, RetryPolicy, retryable, testing,
};
use tokio::time::Instant;

use super::{Failed, SECOND};

const EVERY_SECOND: RetryPolicy<Exponential> =
    RetryPolicy::exponential().base_delay(SECOND).jitter(Jitter::None).retries(1);

async fn delay(asked: Duration) -> Vec<Duration> {
    let busy = Failed::Busy(Some(asked));
    testing::record(async { EVERY_SECOND.retry(async || Err::<(), _>(busy)).await }).await.delays()
}

#[tokio::test(start_paused = true)]
async fn a_server_may_ask_for_up_to_five_seconds_more() {
    assert_eq!(delay(Duration::ZERO).await, [SECOND]);
    assert_eq!(delay(SECOND / 2).await, [SECOND]);
    assert_eq!(delay(3 * SECOND).await, [3 * SECOND]);
    assert_eq!(delay(6 * SECOND).await, [6 * SECOND]);
}

/// Asks a server that is busy for a while, and says so.
async fn ask(
    policy: RetryPolicy<Exponential>,
    busy: Duration,
) -> (Vec<Duration>, Option<GiveUpReason>) {
    let begin = Instant::now();
    let run = testing::record(async {
        let call = policy.retry(async || match busy.saturating_sub(begin.elapsed()) {
            Duration::ZERO => Ok(()),
            left => Err(Failed::Busy(Some(left))),
        });
        call.await
    });
    let run = run.await;
    (run.delays(), run.calls.first().and_then(|call| call.reason))
}

/// "Not before 60 s" was asked at 0, 5, 10 and 15 s, in vain (urllib3/urllib3#1338).
#[tokio::test(start_paused = true)]
async fn one_that_asks_for_more_ends_the_call_at_once() {
    let policy = EVERY_SECOND.retries(3);
    for busy in [60 * SECOND, 3600 * SECOND, Duration::MAX] {
        assert_eq!(ask(policy, busy).await, (vec![], Some(GiveUpReason::RetryAfter)));
    }
    let patient = policy.max_hint(59 * SECOND);
    assert_eq!(ask(patient, 60 * SECOND).await, (vec![60 * SECOND], None));
    assert_eq!(ask(patient, 61 * SECOND).await, (vec![], Some(GiveUpReason::RetryAfter)));
    assert_eq!(ask(policy.max_hint(Duration::MAX), 3600 * SECOND).await.0, [3600 * SECOND]);
    let aborted = policy.retries(2).max_hint(9 * SECOND).cap_hints();
    assert_eq!(ask(aborted, 60 * SECOND).await.0, [10 * SECOND, 11 * SECOND]);
    assert_eq!(ask(aborted.max_hint(Duration::ZERO), 60 * SECOND).await.0, [SECOND, 2 * SECOND]);
}

#[retryable(policy = constant(delay = "1s", retries = 1, max_hint = "1m"), on = |error| *error != Failed::Broken, budget = budget)]
async fn by_closure(budget: &Budget) -> Result<(), Failed> {
    Err(Failed::Busy(Some(30 * SECOND)))
}

fn is_busy(error: &Failed) -> bool {
    matches!(error, Failed::Busy(_))
}

#[retryable(policy = composite(constant(delay = "1s", retries = 1, max_hint = "1m", on = is_busy), never()), budget = budget)]
async fn by_function(budget: &Budget) -> Result<(), Failed> {
    Err(Failed::Busy(Some(30 * SECOND)))
}

#[retryable(policy = constant(delay = "1s", retries = 1), on = |_| true, budget = budget)]
async fn unclassified(budget: &Budget) -> Result<(), String> {
    Err("not classified".to_owned())
}

#[retryable(policy = constant(delay = "1s", retries = 1), on = |_| true, budget = budget)]
async fn generic<E: From<u8>>(budget: &Budget) -> Result<(), E> {
    Err(1.into())
}

/// Closures and functions say which errors to retry, and the error says the rest.
#[tokio::test(start_paused = true)]
async fn a_closure_leaves_hint_and_cost_to_the_error() {
    let budget = Budget::new();
    let run = testing::record(by_closure(&budget)).await;
    assert_eq!((run.delays(), budget.level()), (vec![30 * SECOND], 500 - 5));
    let run = testing::record(by_function(&budget)).await;
    assert_eq!((run.delays(), budget.level()), (vec![30 * SECOND], 500 - 2 * 5));
    let run = testing::record(unclassified(&budget)).await;
    assert_eq!((run.delays(), budget.level()), (vec![SECOND], 500 - 2 * 5 - 14));
    let run = testing::record(generic::<u16>(&budget)).await;
    assert_eq!((run.delays(), budget.level()), (vec![SECOND], 500 - 2 * 5 - 2 * 14));
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).retries(1).max_hint(60 * SECOND).budget(&budget);
    let busy = async || Err::<(), _>(Failed::Busy(Some(30 * SECOND)));
    let call = policy.clone().retry(busy).when(is_busy).classified();
    let run = testing::record(call.into_future()).await;
    assert_eq!((run.delays(), budget.level()), (vec![30 * SECOND], 500 - 5));
    let run = testing::record(policy.retry(busy).when(|_| true).into_future()).await;
    assert_eq!((run.delays(), budget.level()), (vec![SECOND], 500 - 5 - 14));
}

#[retryable(policy = never(), breaker = breaker)]
async fn once(breaker: &CircuitBreaker, error: Failed) -> Result<(), Failed> {
    Err(error)
}

#[retryable(policy = constant(delay = "0s", retries = 0), on = |error| *error == Failed::Lost, breaker = breaker)]
async fn on_lost(breaker: &CircuitBreaker, error: Failed) -> Result<(), Failed> {
    Err(error)
}

#[tokio::test(start_paused = true)]
async fn a_breaker_knows_the_error_whatever_the_policy_names() {
    let breaker = || CircuitBreaker::builder().minimum_calls(4).build().expect("possible");
    let is_open = |outcome| matches!(outcome, Err(Failed::Aborted(_)));
    for (error, opens) in [(Failed::Refused, true), (Failed::Broken, false)] {
        let (never, lost) = (breaker(), breaker());
        for _ in 0..4 {
            assert_eq!(once(&never, error).await, Err(error));
            assert_eq!(on_lost(&lost, error).await, Err(error));
        }
        assert_eq!(is_open(once(&never, error).await), opens);
        assert_eq!(is_open(on_lost(&lost, error).await), opens);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_asks_for_does_not_pass_the_deadline() {
    let busy = Failed::Busy(Some(4 * SECOND));
    let run = testing::record(async {
        EVERY_SECOND.deadline(3 * SECOND).retry(async || Err::<(), _>(busy)).await
    });
    let run = run.await;
    assert_eq!((run.reason(), run.delays()), (Some(GiveUpReason::Deadline), vec![]));
}
