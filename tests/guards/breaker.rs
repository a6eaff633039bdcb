use std::sync::LazyLock;

use retry_runtime::{
    Budget, CircuitBreaker, Cut, Disposition, Never, Reason, RetryPolicy, retryable, testing,
};

use crate::{Counter, Failed, SECOND};

fn breaker() -> CircuitBreaker {
    CircuitBreaker::builder().minimum_calls(4).build().expect("possible")
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_ends_the_retries_and_refuses_first_attempts() {
    let (breaker, counter) = (breaker(), Counter::default());
    let policy = RetryPolicy::constant(SECOND).retries(99).breaker(&breaker);
    let run = testing::record(async {
        policy.clone().retry(async || counter.fail::<()>(Failed::Refused)).await
    });
    let run = run.await;
    assert_eq!(
        (run.output, run.calls[0].reason),
        (Err(Failed::Refused), Some(Reason::BreakerOpen))
    );
    assert_eq!(counter.calls(), 4);
    let refused = policy.retry(async || counter.fail::<()>(Failed::Refused)).await;
    assert!(matches!(refused, Err(Failed::Cut(Cut::BreakerOpen(_)))), "{refused:?}");
    assert_eq!(counter.calls(), 4, "no attempt was made");
}

#[tokio::test(start_paused = true)]
async fn after_a_while_a_probe_closes_it() {
    let breaker = breaker();
    let policy = RetryPolicy::constant(SECOND / 100).retries(9).breaker(&breaker);
    let _ = policy.clone().retry(async || Err::<(), _>(Failed::Refused)).await;
    tokio::time::sleep(5 * SECOND + SECOND / 100).await;
    assert_eq!(policy.clone().retry(async || Ok::<_, Failed>(1)).await, Ok(1));
    assert_eq!(policy.retry(async || Ok::<_, Failed>(2)).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_gives_its_place_back() {
    let breaker = breaker();
    let policy = RetryPolicy::constant(SECOND / 100).retries(9).breaker(&breaker);
    let _ = policy.clone().retry(async || Err::<(), _>(Failed::Refused)).await;
    tokio::time::sleep(5 * SECOND + SECOND / 100).await;
    let probe = policy.clone().retry(std::future::pending::<Result<(), Failed>>);
    assert!(tokio::time::timeout(SECOND, probe.into_future()).await.is_err());
    assert_eq!(policy.retry(async || Ok::<_, Failed>(1)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn final_answers_speak_for_the_server_and_unknown_outcomes_against_it() {
    let breaker = breaker();
    let policy = RetryPolicy::constant(SECOND).breaker(&breaker);
    for _ in 0..99 {
        let _ = policy.clone().retry(async || Err::<(), _>(Failed::Broken)).await;
    }
    assert_eq!(policy.retry(async || Ok::<_, Failed>(1)).await, Ok(1));
    let lost = RetryPolicy::constant(SECOND).breaker(&breaker);
    let mut calls = 0;
    while lost.clone().retry(async || Err::<(), _>(Failed::Lost)).await == Err(Failed::Lost) {
        calls += 1;
    }
    assert_eq!(calls, 100, "half of all calls");
}

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(breaker);

#[retryable(policy = constant(delay = "0s", retries = 0), breaker = BREAKER, on_give_up = |give_up| seen.push((give_up.reason(), give_up.disposition())))]
async fn annotated(seen: &mut Vec<(Reason, Disposition)>) -> Result<(), Failed> {
    Err(Failed::Lost)
}

#[tokio::test(start_paused = true)]
async fn the_attribute_takes_one_and_hooks_are_told() {
    let mut seen = Vec::new();
    for _ in 0..5 {
        annotated(&mut seen).await.expect_err("always");
    }
    assert_eq!(seen[0], (Reason::NotIdempotent, Disposition::Unknown));
    assert_eq!(seen[4], (Reason::BreakerOpen, Disposition::NotExecuted));
}

#[test]
fn debug_prints_the_order() {
    let breaker = breaker();
    let policy = Never.budget(&Budget::new()).breaker(&breaker).reset_after(SECOND);
    assert_eq!(
        format!("{policy:?}"),
        "Guarded { policy: Never, guards: [CircuitBreaker(Closed), ResetAfter(1s), Budget(500/500)] }"
    );
}
