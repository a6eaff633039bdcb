//! Dropping the future.

use std::{rc::Rc, time::Duration};

use retry_runtime::{RetryPolicy, retryable};
use tokio::time::{sleep, timeout};

use super::script::{Failed, MILLI, REJECTED, SECOND, Script};

/// Drops the future at every multiple of half a second and sees that nothing goes on.
#[tokio::test(start_paused = true)]
async fn dropping_the_future_cancels_at_every_await_point() {
    #[retryable(policy = constant(delay = "1s", retries = 5), before = async |_| sleep(SECOND).await,
                on_failure = async |_| sleep(SECOND).await, on_give_up = async |_| sleep(SECOND).await)]
    async fn slow(script: &Script) -> Result<u32, Failed> {
        sleep(SECOND).await;
        script.next()
    }
    // Six attempts with their hooks and waits take 23 seconds.
    for halves in 1..46 {
        let script = Script::new(&[REJECTED]);
        let finished = timeout(500 * MILLI * halves, slow(&script)).await.is_ok();
        let calls = script.calls.get();
        sleep(60 * SECOND).await;
        assert_eq!(script.calls.get(), calls, "after {halves} half seconds");
        assert!(!finished);
    }
}

/// What the attempt, the wait and the hooks hold is given back wherever the future is dropped.
#[tokio::test(start_paused = true)]
async fn dropping_the_future_leaks_nothing() {
    let held = Rc::new(());
    for quarters in 1..24 {
        let hold = || {
            let held = Rc::clone(&held);
            async move {
                sleep(SECOND).await;
                drop(held);
            }
        };
        let call = RetryPolicy::constant(SECOND)
            .retries(1)
            .deadline(60 * SECOND)
            .retry(async || {
                hold().await;
                REJECTED
            })
            .before(async |_| hold().await)
            .on_failure(async |_| hold().await)
            .on_give_up(async |_| hold().await);
        assert!(timeout(Duration::from_millis(250) * quarters, call).await.is_err());
        assert_eq!(Rc::strong_count(&held), 1, "after {quarters} quarters of a second");
    }
}
