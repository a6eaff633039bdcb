use std::time::Duration;

use retry_runtime::{Exponential, Jitter, Reason, RetryPolicy, testing};

use crate::{Failed, SECOND};

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
    assert_eq!(delay(3600 * SECOND).await, [6 * SECOND]);
    assert_eq!(delay(Duration::MAX).await, [6 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_asks_for_does_not_pass_the_deadline() {
    let busy = Failed::Busy(Some(4 * SECOND));
    let run = testing::record(async {
        EVERY_SECOND.deadline(3 * SECOND).retry(async || Err::<(), _>(busy)).await
    });
    let run = run.await;
    assert_eq!((run.reason(), run.delays()), (Some(Reason::Deadline), vec![]));
}
