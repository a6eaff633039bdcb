use retry_runtime::{Reason, RetryPolicy, retryable, testing};

use crate::{Counter, Failed, SECOND};

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
    assert_eq!((counter.calls(), run.reason()), (5, Some(Reason::RetriesExhausted)));
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
