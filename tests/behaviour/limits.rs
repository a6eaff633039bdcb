//! Deadlines and attempt timeouts.

use std::{
    cell::Cell,
    future::pending,
    io::{self, ErrorKind},
    time::Duration,
};

use retry_runtime::{Cut, Disposition, RetryPolicy};
use tokio::time::{Instant, sleep};

use crate::script::{EVERY_SECOND, Failed, MILLI, REJECTED, SECOND, Script};

/// coredis starts an attempt after the deadline (its finding C4) and draws jitter twice (C6).
#[tokio::test(start_paused = true)]
async fn an_attempt_still_running_at_the_deadline_is_cut() {
    let begin = Instant::now();
    let calls = Cell::new(0);
    let slow = async || {
        calls.set(calls.get() + 1);
        sleep(SECOND).await;
        Err::<(), _>(Failed::Rejected(1))
    };
    let policy = RetryPolicy::constant(MILLI).unlimited().deadline(1500 * MILLI);
    assert_eq!(policy.retry(slow).await, Err(Failed::Late(Cut::Deadline(1500 * MILLI))));
    assert_eq!((begin.elapsed(), calls.get()), (1500 * MILLI, 2));
}

#[tokio::test(start_paused = true)]
async fn no_wait_begins_that_would_pass_the_deadline() {
    let script = Script::new(&[REJECTED]);
    let policy = EVERY_SECOND.unlimited().deadline(2500 * MILLI);
    assert_eq!(policy.retry(|| script.run()).await, REJECTED);
    assert_eq!((script.begin.elapsed(), script.calls.get()), (2 * SECOND, 3));
}

#[tokio::test(start_paused = true)]
async fn random_waits_never_lead_past_the_deadline() {
    for _ in 0..500 {
        let script = Script::new(&[REJECTED]);
        let policy =
            RetryPolicy::exponential().base_delay(100 * MILLI).unlimited().deadline(SECOND);
        assert_eq!(policy.retry(|| script.run()).await, REJECTED);
        assert!(script.begin.elapsed() <= SECOND);
        assert!(script.started.borrow().iter().all(|start| *start < SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_timeout_is_an_unknown_outcome() {
    let calls = Cell::new(0);
    let hang = async || {
        calls.set(calls.get() + 1);
        pending::<Result<(), io::Error>>().await
    };
    let policy = EVERY_SECOND.attempt_timeout(100 * MILLI);
    let error = policy.retry(hang).await.unwrap_err();
    assert_eq!((error.kind(), calls.get()), (ErrorKind::TimedOut, 1));
    let error = policy
        .retry(hang)
        .idempotent()
        .on_failure(async |failure| assert_eq!(failure.disposition(), Disposition::Unknown))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), calls.get()), (ErrorKind::TimedOut, 4));
}

#[tokio::test(start_paused = true)]
async fn a_zero_deadline_starts_no_attempt_and_an_endless_one_is_none() {
    let script = Script::new(&[REJECTED]);
    let late = Err(Failed::Late(Cut::Deadline(Duration::ZERO)));
    assert_eq!(EVERY_SECOND.deadline(Duration::ZERO).retry(|| script.run()).await, late);
    assert_eq!(script.calls.get(), 0);
    assert_eq!(EVERY_SECOND.deadline(Duration::MAX).retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_timeout_counts_from_the_attempt_and_not_from_its_hook() {
    let policy = RetryPolicy::constant(SECOND).retries(0).attempt_timeout(2 * SECOND);
    let call = policy.retry(async || {
        sleep(SECOND + 500 * MILLI).await;
        Ok::<_, Failed>(7)
    });
    assert_eq!(call.before(async |_| sleep(SECOND).await).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_all_the_time_leaves_none_for_a_first_attempt() {
    let script = Script::new(&[REJECTED]);
    let policy = EVERY_SECOND.deadline(SECOND);
    let call = policy.retry(|| script.run()).before(async |_| sleep(2 * SECOND).await);
    assert_eq!(call.await, Err(Failed::Late(Cut::Deadline(SECOND))));
    assert_eq!((script.begin.elapsed(), script.calls.get()), (SECOND, 0));
}
