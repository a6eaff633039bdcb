use std::future::pending;

use retry_runtime::{Composite, GiveUpReason, RetryPolicy, retryable, testing};
use tokio::time::{Instant, sleep};

use super::{Counter, Failed, SECOND};

#[retryable(policy = exponential(base_delay = "1s", jitter = none, retries = 2), reset_after = "1m")]
async fn subscribe(counter: &Counter) -> Result<(), Failed> {
    // Works for an hour, three times, then for a second.
    let seconds = if counter.calls() < 3 { 3600 } else { 1 };
    tokio::time::sleep(seconds * SECOND).await;
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn the_third_failure_of_a_lifetime_does_not_end_it() {
    let counter = Counter::default();
    let run = testing::record(subscribe(&counter)).await;
    // After each hour the first retry again; then both retries in a row.
    assert_eq!(run.delays(), [SECOND, SECOND, SECOND, 2 * SECOND]);
    assert_eq!((counter.calls(), run.reason()), (5, Some(GiveUpReason::RetriesExhausted)));
}

#[tokio::test(start_paused = true)]
async fn attempts_go_on_counting() {
    let counter = Counter::default();
    let policy = RetryPolicy::constant(SECOND).retries(1).reset_after(SECOND);
    let run = testing::record(async {
        policy
            .retry(async || {
                if counter.calls() < 4 {
                    tokio::time::sleep(2 * SECOND).await;
                }
                counter.fail::<()>(Failed::Refused)
            })
            .await
    });
    assert_eq!(run.await.attempts(), 5);
}

/// A server that accepts and never answers made 1417 attempts in a day at `retries = 3`.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_cut_was_not_healthy() {
    let policy = RetryPolicy::constant(SECOND).retries(3);
    let run = testing::record(async {
        policy
            .attempt_timeout(60 * SECOND)
            .reset_after(30 * SECOND)
            .retry(pending::<Result<(), Failed>>)
            .when(|_| true)
            .await
    });
    let run = run.await;
    assert_eq!((run.attempts(), run.reason()), (4, Some(GiveUpReason::RetriesExhausted)));
}

/// Works for an hour, then fails for good.
async fn works_at_first(begin: Instant) -> Result<(), Failed> {
    if begin.elapsed() < 3600 * SECOND {
        sleep(3600 * SECOND).await;
    }
    Err(Failed::Refused)
}

#[retryable(policy = constant(delay = "10s", retries = unlimited), reset_after = "1m", give_up_after = "5m")]
async fn annotated(begin: Instant) -> Result<(), Failed> {
    works_at_first(begin).await
}

/// A deadline counts the time in which the body works.
#[tokio::test(start_paused = true)]
async fn it_gives_up_after_it_has_failed_for_so_long() {
    let begin = Instant::now();
    assert_eq!(annotated(begin).await, Err(Failed::Refused));
    // The last attempt begins before five minutes are over, and the wait after it would pass them.
    assert_eq!(begin.elapsed(), (3600 + 290) * SECOND);
    let begin = Instant::now();
    let policy = RetryPolicy::constant(10 * SECOND)
        .unlimited()
        .reset_after(60 * SECOND)
        .give_up_after(300 * SECOND);
    let run = testing::record(async { policy.retry(|| works_at_first(begin)).await }).await;
    assert_eq!((run.output, run.reason()), (Err(Failed::Refused), Some(GiveUpReason::Deadline)));
    assert_eq!(begin.elapsed(), (3600 + 290) * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_its_time_counts_as_failing() {
    let begin = Instant::now();
    let policy = RetryPolicy::constant(SECOND).unlimited().give_up_after(60 * SECOND);
    let call = policy
        .retry(async || Err::<(), _>(Failed::Refused))
        .on_failure(async |_| sleep(50 * SECOND).await);
    assert_eq!(call.await, Err(Failed::Refused));
    assert_eq!(begin.elapsed(), 101 * SECOND);
}

/// The `reset_after` of one member held for the other: 51 attempts at two retries.
#[tokio::test(start_paused = true)]
async fn members_forget_their_own_failures() {
    let counter = Counter::default();
    let policy = Composite::new(
        RetryPolicy::constant(SECOND).retries(2).on(|error: &Failed| *error == Failed::Refused),
        RetryPolicy::constant(SECOND)
            .retries(2)
            .on(|error: &Failed| *error == Failed::Lost)
            .reset_after(5 * SECOND),
    );
    let call = policy.clone().retry(async || {
        sleep(10 * SECOND).await;
        assert!(counter.calls() < 9, "three attempts at two retries");
        counter.fail::<()>(Failed::Refused)
    });
    assert_eq!((call.await, counter.calls()), (Err(Failed::Refused), 3));
    let counter = Counter::default();
    let call = policy.retry(async || {
        sleep(10 * SECOND).await;
        counter.fail::<()>(if counter.calls() < 9 { Failed::Lost } else { Failed::Broken })
    });
    assert_eq!((call.await, counter.calls()), (Err(Failed::Broken), 10));
}
