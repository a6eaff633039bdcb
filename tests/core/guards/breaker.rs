use std::sync::LazyLock;

use retry_runtime::{
    Aborted, Budget, CircuitBreaker, Disposition, Failure, GiveUpReason, Never, RetryPolicy,
    budget::Cost,
    failure::FailureInfo,
    policy::{ByDisposition, Decide, Rule, Timed, WithGuards},
    retry, retryable, testing,
};

use super::{Counter, Failed, SECOND};

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
        (Err(Failed::Refused), Some(GiveUpReason::BreakerOpen))
    );
    assert_eq!(counter.calls(), 4);
    let refused = policy.retry(async || counter.fail::<()>(Failed::Refused)).await;
    assert!(matches!(refused, Err(Failed::Aborted(Aborted::BreakerOpen(_)))), "{refused:?}");
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

fn is_lost(error: &Failed) -> bool {
    *error == Failed::Lost
}

/// Makes 1000 calls, and returns how many reached the server.
async fn thousand<P>(policy: P, error: Failed) -> u32
where
    P: Decide<Failed, ByDisposition, Timing = WithGuards<Timed>> + Clone,
{
    let counter = Counter::default();
    for _ in 0..1000 {
        let _ = retry(policy.clone(), async || counter.fail::<()>(error)).await;
    }
    counter.calls()
}

/// Micronaut counts what its retries name (micronaut-projects/micronaut-core#5031).
#[tokio::test(start_paused = true)]
async fn failures_that_the_policy_does_not_name_open_it_all_the_same() {
    let once = RetryPolicy::constant(SECOND).retries(0);
    assert_eq!(thousand(once.on(is_lost).breaker(&breaker()), Failed::Refused).await, 4);
    assert_eq!(thousand(Never.breaker(&breaker()), Failed::Refused).await, 4);
    assert_eq!(thousand(once.breaker(&breaker()), Failed::Lost).await, 4);
    assert_eq!(thousand(once.breaker(&breaker()), Failed::Broken).await, 1000);
    let classified = Never.on(ByDisposition::default()).breaker(&breaker());
    assert_eq!(thousand(classified, Failed::Broken).await, 1000);
}

/// Retries every answer, whatever it says.
#[derive(Clone, Copy)]
struct Everything;

impl<C> Rule<Failed, C> for Everything {
    fn allows(&self, _: &Failure<'_, Failed>, _: &C) -> bool {
        true
    }

    fn info(&self, failure: &Failure<'_, Failed>, _: &C) -> FailureInfo {
        FailureInfo::default().disposition(failure.disposition())
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_policy_retries_does_not_speak_against_the_server() {
    let policy = RetryPolicy::constant(SECOND / 100).retries(1);
    assert_eq!(thousand(policy.on(Everything).breaker(&breaker()), Failed::Broken).await, 2000);
    let polls = policy.breaker(&breaker());
    for _ in 0..1000 {
        assert_eq!(polls.clone().retry(async || Ok::<_, Failed>(0)).on_ok(|_| true).await, Ok(0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_its_own_says_what_counts() {
    let busy = CircuitBreaker::builder()
        .minimum_calls(4)
        .counts(|failure| failure.class() == "BUSY" && failure.cost() == Cost::Throttling)
        .build()
        .expect("possible");
    let once = RetryPolicy::constant(SECOND).retries(0);
    assert_eq!(thousand(once.breaker(&busy), Failed::Refused).await, 1000);
    let permanent = CircuitBreaker::builder()
        .minimum_calls(4)
        .counts(|failure| failure.disposition() == Some(Disposition::Permanent))
        .build()
        .expect("possible");
    assert_eq!(thousand(once.breaker(&permanent), Failed::Broken).await, 4);
}

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(breaker);

#[retryable(policy = constant(delay = "0s", retries = 0), breaker = BREAKER, on_give_up = |give_up| seen.push((give_up.reason(), give_up.disposition())))]
async fn annotated(seen: &mut Vec<(GiveUpReason, Disposition)>) -> Result<(), Failed> {
    Err(Failed::Lost)
}

#[tokio::test(start_paused = true)]
async fn the_attribute_takes_one_and_hooks_are_told() {
    let mut seen = Vec::new();
    for _ in 0..5 {
        annotated(&mut seen).await.expect_err("always");
    }
    assert_eq!(seen[0], (GiveUpReason::NotIdempotent, Disposition::Unknown));
    assert_eq!(seen[4], (GiveUpReason::BreakerOpen, Disposition::NotExecuted));
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
