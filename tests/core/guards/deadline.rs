//! A wait that ends after the deadline, because the thread was busy.

use std::cell::RefCell;

use retry_runtime::{Budget, CircuitBreaker, GiveUpReason, RetryPolicy, retryable, testing};

use super::{Counter, Failed, SECOND};

#[retryable(policy = constant(delay = "1s", deadline = "2s"))]
async fn annotated(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

async fn sleep_in(seconds: u32) {
    tokio::time::advance(seconds * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_retry_is_not_made_and_the_caller_gets_the_last_error() {
    let counter = Counter::default();
    let (run, ()) = tokio::join!(testing::record(annotated(&counter)), sleep_in(3));
    assert_eq!((run.reason(), run.attempts()), (Some(GiveUpReason::Deadline), 1));
    assert_eq!((run.output, counter.calls()), (Err(Failed::Refused), 1));
}

#[tokio::test(start_paused = true)]
async fn a_late_retry_costs_nothing_and_is_no_call_to_the_breaker() {
    let budget = Budget::new();
    let breaker = CircuitBreaker::builder().minimum_calls(3).build().expect("possible");
    let fail = async || Err::<(), _>(Failed::Refused);
    let policy = RetryPolicy::constant(SECOND).deadline(2 * SECOND);
    let policy = policy.budget(&budget).breaker(&breaker);
    let (result, ()) = tokio::join!(policy.retry(fail).into_future(), sleep_in(3));
    assert_eq!((result, budget.level()), (Err(Failed::Refused), 500));
    // It counts as one call; with the second the third is not refused yet.
    let once = RetryPolicy::constant(SECOND).retries(0).breaker(&breaker);
    assert_eq!(once.clone().retry(fail).await, Err(Failed::Refused));
    assert_eq!(once.retry(fail).await, Err(Failed::Refused));
}

#[tokio::test(start_paused = true)]
async fn hooks_are_told_of_a_late_retry() {
    let reasons = RefCell::new(Vec::new());
    let call = RetryPolicy::constant(SECOND)
        .deadline(2 * SECOND)
        .retry(async || Err::<(), _>(Failed::Refused))
        .on_give_up(async |give_up| reasons.borrow_mut().push(give_up.reason()));
    let (result, ()) = tokio::join!(call.into_future(), sleep_in(3));
    assert_eq!((result, reasons.take()), (Err(Failed::Refused), vec![GiveUpReason::Deadline]));
}
