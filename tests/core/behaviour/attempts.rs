//! Attempts, classification, polling and erased policies.

use std::{
    cell::{Cell, RefCell},
    panic::AssertUnwindSafe,
    time::Duration,
};

use retry_runtime::{DynPolicy, GiveUpReason, Jitter, Never, RetryPolicy, retryable};
use tokio::time::Instant;

use super::script::{
    EVERY_SECOND, Failed, LOST, REJECTED, SECOND, Script, Unclassified, is_lost, is_rejected,
};

#[tokio::test(start_paused = true)]
async fn success_at_the_first_attempt_calls_once() {
    let script = Script::new(&[Ok(7)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, Ok(7));
    assert_eq!(script.calls.get(), 1);
    assert_eq!(script.begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn two_retries_make_three_attempts_and_the_last_error_is_returned() {
    let script = Script::new(&[
        Err(Failed::Rejected(1)),
        Err(Failed::Rejected(2)),
        Err(Failed::Rejected(3)),
        Ok(0),
    ]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, Err(Failed::Rejected(3)));
    assert_eq!(*script.started.borrow(), [Duration::ZERO, SECOND, 2 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn zero_retries_and_never_make_one_attempt() {
    let script = Script::new(&[REJECTED]);
    assert_eq!(EVERY_SECOND.retries(0).retry(|| script.run()).await, REJECTED);
    assert_eq!(Never.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 2);
}

/// The exponential backoff of coredis overflows at attempt 1024 (its finding C2) and ends an endless loop.
#[tokio::test(start_paused = true)]
async fn goes_on_beyond_a_thousand_attempts() {
    let script = Script::new(&[REJECTED; 1100].iter().copied().chain([Ok(1)]).collect::<Vec<_>>());
    let policy = RetryPolicy::exponential().max_delay(16 * SECOND).unlimited();
    assert_eq!(policy.retry(|| script.run()).await, Ok(1));
    assert_eq!(script.calls.get(), 1101);
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_are_retried_only_if_idempotent() {
    let script = Script::new(&[LOST, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, LOST);
    let script = Script::new(&[LOST, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).idempotent().await, Ok(1));
    let script = Script::new(&[Err(Failed::Broken), Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).idempotent().await, Err(Failed::Broken));
}

#[tokio::test(start_paused = true)]
async fn the_named_errors_and_only_they_are_retried() {
    let script = Script::new(&[LOST, REJECTED, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).on(is_lost).await, REJECTED);
    assert_eq!(script.calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unclassified_error_needs_only_a_rule() {
    let calls = Cell::new(0);
    let policy = EVERY_SECOND.on(|_: &Unclassified| true);
    let result: Result<(), _> = policy
        .retry(async || {
            calls.set(calls.get() + 1);
            Err(Unclassified)
        })
        .await;
    assert_eq!((result, calls.get()), (Err(Unclassified), 3));
}

#[tokio::test(start_paused = true)]
async fn polling_goes_on_until_the_value_is_right() {
    let script = Script::new(&[Ok(1), Ok(2), Ok(3)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).on_ok(|value| *value < 3).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn polling_that_never_succeeds_returns_the_last_value() {
    #[retryable(policy = constant(delay = "1s", retries = 2), on_ok = |value| *value < 9,
                on_give_up = |give_up| reasons.borrow_mut().push((give_up.reason(), give_up.error().is_none())))]
    async fn poll(
        script: &Script,
        reasons: &RefCell<Vec<(GiveUpReason, bool)>>,
    ) -> Result<u32, Failed> {
        script.next()
    }
    let script = Script::new(&[Ok(1), Ok(2), Ok(3), Ok(4)]);
    let reasons = RefCell::default();
    assert_eq!(poll(&script, &reasons).await, Ok(3));
    assert_eq!(*reasons.borrow(), [(GiveUpReason::RetriesExhausted, true)]);
}

#[tokio::test(start_paused = true)]
async fn erased_policies_keep_their_state_and_limits() {
    let script = Script::new(&[REJECTED]);
    let erased: DynPolicy<Failed> = DynPolicy::new(EVERY_SECOND.on(is_rejected));
    assert_eq!(erased.clone().retry(|| script.run()).await, REJECTED);
    assert_eq!(erased.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 6);
    let timed: DynPolicy<Failed> = DynPolicy::new(EVERY_SECOND.unlimited().deadline(5 * SECOND));
    let script = Script::new(&[REJECTED]);
    assert_eq!(timed.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 5);
}

#[tokio::test(start_paused = true)]
async fn zero_delays_let_other_tasks_run_without_the_timer() {
    let begin = Instant::now();
    let turns = Cell::new(0);
    let spin = RetryPolicy::constant(Duration::ZERO).unlimited();
    let retried =
        spin.retry(async || if turns.get() < 3 { Err(Failed::Rejected(0)) } else { Ok(()) });
    let other = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            turns.set(turns.get() + 1);
        }
    };
    assert_eq!(tokio::join!(IntoFuture::into_future(retried), other).0, Ok(()));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waits_add_up_exactly() {
    let exponential = RetryPolicy::exponential()
        .base_delay(SECOND)
        .max_delay(4 * SECOND)
        .jitter(Jitter::None)
        .retries(4);
    let script = Script::new(&[REJECTED]);
    assert_eq!(exponential.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.begin.elapsed(), (1 + 2 + 4 + 4) * SECOND);
    let script = Script::new(&[REJECTED]);
    assert_eq!(EVERY_SECOND.retries(7).retry(|| script.run()).await, REJECTED);
    assert_eq!(script.begin.elapsed(), 7 * SECOND);
}

/// A panic ends the program or the task in Rust; it is nobody's to retry (C9).
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_body_is_not_retried() {
    let calls = Cell::new(0);
    let call = EVERY_SECOND.retry(async || {
        calls.set(calls.get() + 1);
        assert!(calls.get() > 1, "the first attempt panics");
        Ok::<(), Failed>(())
    });
    let mut future = Box::pin(IntoFuture::into_future(call));
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
        future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }));
    assert!(polled.is_err());
    assert_eq!(calls.get(), 1);
}
