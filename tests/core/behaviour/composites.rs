//! Composites: who counts what, and how long a call waits.

use std::time::Duration;

use retry_runtime::{Composite, Exponential, Jitter, Never, RetryPolicy, retryable};
use tokio::time::{Instant, sleep};

use super::script::{
    EVERY_SECOND, Failed, LOST, MILLI, REJECTED, SECOND, Script, is_lost, is_rejected,
};

/// As coredis measured: members of 2 and 5 retries that match the same error make 6 calls.
#[tokio::test(start_paused = true)]
async fn overlapping_members_go_on_while_any_has_retries_left_and_wait_the_longest() {
    let policy = Composite::new(
        EVERY_SECOND.on(|_: &Failed| true),
        RetryPolicy::constant(3 * SECOND).retries(5),
    );
    let script = Script::new(&[REJECTED]);
    assert_eq!(policy.retry(|| script.run()).await, REJECTED);
    let seconds = script.started.borrow().iter().map(Duration::as_secs).collect::<Vec<_>>();
    assert_eq!(seconds, [0, 3, 6, 9, 12, 15]);
}

/// As coredis measured: alternating errors with two retries each make 5 calls.
#[tokio::test(start_paused = true)]
async fn members_count_their_own_errors() {
    let policy = EVERY_SECOND.on(is_lost).or(EVERY_SECOND.on(is_rejected));
    let script = Script::new(&[LOST, REJECTED, LOST, REJECTED, LOST, REJECTED]);
    assert_eq!(policy.retry(|| script.run()).await, LOST);
    assert_eq!(script.calls.get(), 5);
}

/// Nested composites fail in coredis (its finding C10).
#[tokio::test(start_paused = true)]
async fn composites_nest() {
    #[retryable(policy = composite(composite(constant(delay = "1s", retries = 1, on = is_lost)),
                                   constant(delay = "2s", retries = 2, on = |error| matches!(error, Failed::Rejected(_)))))]
    async fn nested(script: &Script) -> Result<u32, Failed> {
        script.next()
    }
    let script = Script::new(&[LOST, REJECTED, REJECTED, REJECTED]);
    assert_eq!(nested(&script).await, REJECTED);
    assert_eq!(script.begin.elapsed(), 5 * SECOND);
}

/// In coredis the deadline of a composite runs from the first failure (its finding C5).
#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_member_runs_from_the_start_of_the_call() {
    let begin = Instant::now();
    let policy = RetryPolicy::constant(MILLI).unlimited().deadline(SECOND).or(Never);
    let result: Result<(), _> = policy
        .retry(async || {
            sleep(2 * SECOND).await;
            Err(Failed::Rejected(1))
        })
        .await;
    assert_eq!((result, begin.elapsed()), (Err(Failed::Rejected(1)), 2 * SECOND));
}

/// In coredis the counters of a supervised loop live as long as the loop (its finding C3).
#[tokio::test(start_paused = true)]
async fn every_call_starts_with_fresh_counters() {
    #[retryable(policy = policy)]
    async fn call(
        policy: &Composite<RetryPolicy<Exponential>, RetryPolicy<Exponential>>,
        script: &Script,
    ) -> Result<u32, Failed> {
        script.next()
    }
    let member = RetryPolicy::exponential().base_delay(SECOND).jitter(Jitter::None);
    let policy = Composite::new(member, member);
    for _ in 0..3 {
        let script = Script::new(&[REJECTED]);
        assert_eq!(call(&policy, &script).await, REJECTED);
        assert_eq!(*script.started.borrow(), [Duration::ZERO, SECOND, 3 * SECOND]);
    }
}

/// coredis keeps the members in a set, so that they print in any order (its finding C12).
#[test]
fn members_keep_their_order() {
    let composite = Composite::new(EVERY_SECOND.retries(1), EVERY_SECOND.retries(9));
    let printed = format!("{composite:?}");
    let position = |text| printed.find(text).unwrap_or_else(|| panic!("{text} in {printed}"));
    assert!(position("retries: Some(1)") < position("retries: Some(9)"));
}
