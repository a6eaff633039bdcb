//! What `testing` gives to the tests of a caller: overrides, recordings, outcomes.

use std::time::Duration;

use retry_runtime::{
    GiveUpReason, Jitter, RetryPolicy, retryable,
    testing::{self, Overrides},
};
use tokio::time::Instant;

use super::{Counter, Failed, SECOND};

#[retryable(policy = exponential(base_delay = "1s", retries = 5))]
async fn fetch(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn retries_are_switched_off_for_a_scope_only() {
    let counter = Counter::default();
    let run = testing::record(Overrides::new().without_retries().scope(fetch(&counter))).await;
    assert_eq!((counter.calls(), run.calls[0].reason), (1, Some(GiveUpReason::RetriesExhausted)));
    let _ = fetch(&counter).await;
    assert_eq!(counter.calls(), 1 + 6);
}

#[tokio::test(start_paused = true)]
async fn attempts_and_waits_are_capped() {
    let (counter, begin) = (Counter::default(), Instant::now());
    let capped = Overrides::new().max_attempts(3).max_delay(Duration::ZERO);
    let _ = capped.scope(fetch(&counter)).await;
    assert_eq!((counter.calls(), begin.elapsed()), (3, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_guard_holds_for_the_thread_and_ends_with_itself() {
    let counter = Counter::default();
    let entered = Overrides::new().without_retries().enter();
    let _ = fetch(&counter).await;
    // Another thread is not disturbed.
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let other = Counter::default();
        let capped = Overrides::new().max_delay(Duration::ZERO).scope(fetch(&other));
        let _ = runtime.expect("a runtime").block_on(capped);
        other.calls()
    });
    assert_eq!(other.join().expect("no panic"), 6);
    drop(entered);
    let _ = fetch(&counter).await;
    assert_eq!(counter.calls(), 1 + 6);
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_delays_repeatable() {
    let counter = Counter::default();
    let run = async |seed| {
        testing::record(Overrides::new().seed(seed).scope(fetch(&counter))).await.delays()
    };
    let (first, again, other) = (run(7).await, run(7).await, run(8).await);
    assert_eq!(first.len(), 5);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_schedule_tells_the_delays_as_bounds() {
    let policy = RetryPolicy::exponential().base_delay(SECOND).max_delay(3 * SECOND).retries(3);
    let bounds: Vec<_> = policy.schedule().collect();
    let zero = Duration::ZERO;
    assert_eq!(bounds, [zero..=SECOND, zero..=2 * SECOND, zero..=3 * SECOND]);
    let exact: Vec<_> = policy.jitter(Jitter::None).schedule().collect();
    assert_eq!(exact, [SECOND..=SECOND, 2 * SECOND..=2 * SECOND, 3 * SECOND..=3 * SECOND]);
    let equal: Vec<_> =
        policy.jitter(Jitter::Equal).schedule().map(|bound| *bound.start()).collect();
    assert_eq!(equal, [SECOND / 2, SECOND, 3 * SECOND / 2]);
    // As many as one likes.
    assert_eq!(
        RetryPolicy::constant(SECOND).unlimited().schedule().take(1_000_000).count(),
        1_000_000
    );
    assert_eq!(RetryPolicy::constant(SECOND).retries(0).schedule().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_recording_keeps_calls_apart() {
    let counter = Counter::default();
    let run = testing::record(async {
        let _ = tokio::join!(fetch(&counter), fetch(&counter));
        Overrides::new().without_retries().scope(fetch(&counter)).await
    });
    let run = run.await;
    let attempts: Vec<_> = run.calls.iter().map(|call| call.attempts).collect();
    assert_eq!(attempts, [6, 6, 1]);
}

#[retryable(policy = constant(delay = delay, retries = retries))]
async fn wait(delay: Duration, retries: u32) -> Result<(), Failed> {
    Err(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_name_side_by_side_keep_their_own_waits() {
    let run = testing::record(async { tokio::join!(wait(SECOND, 4), wait(3 * SECOND, 2)) }).await;
    let delays: Vec<_> = run.calls.iter().map(|call| call.delays.clone()).collect();
    assert_eq!(delays, [vec![SECOND; 4], vec![3 * SECOND; 2]]);
}
