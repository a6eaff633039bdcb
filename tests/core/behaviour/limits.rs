//! Deadlines and attempt timeouts.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    future::pending,
    io::{self, ErrorKind},
    time::Duration,
};

use retry_runtime::{Aborted, Classify, Disposition, RetryPolicy, retryable};
use tokio::time::{Instant, sleep};

use super::script::{EVERY_SECOND, Failed, MILLI, REJECTED, SECOND, Script};

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
    assert_eq!(policy.retry(slow).await, Err(Failed::Late(Aborted::Deadline(1500 * MILLI))));
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
    let late = Err(Failed::Late(Aborted::Deadline(Duration::ZERO)));
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
    assert_eq!(call.await, Err(Failed::Late(Aborted::Deadline(SECOND))));
    assert_eq!((script.begin.elapsed(), script.calls.get()), (SECOND, 0));
}

const QUOTA: &str = "disk quota exceeded on node 7";

#[retryable(policy = constant(delay = "1s", retries = 1, deadline = "5s"), on = |_| true, on_give_up = |give_up| seen.push(give_up.previous().map(ToString::to_string)))]
async fn hangs_at_last(calls: &mut u32, seen: &mut Vec<Option<String>>) -> io::Result<()> {
    *calls += 1;
    if *calls == 1 { Err(io::Error::other(QUOTA)) } else { pending().await }
}

#[retryable(policy = constant(delay = "1s", retries = 2, attempt_timeout = "1s"), on = |_| true)]
async fn hangs_twice(calls: &mut u32) -> io::Result<()> {
    *calls += 1;
    if *calls == 1 { Err(io::Error::other(QUOTA)) } else { pending().await }
}

/// The error of a limit hid what was wrong (temporalio/temporal#3630, googleapis/google-cloud-rust#2307).
#[tokio::test(start_paused = true)]
async fn the_error_of_a_limit_has_the_last_real_one_as_its_source() {
    let source = |error: &io::Error| error.source().map(ToString::to_string);
    let mut seen = Vec::new();
    let error = hangs_at_last(&mut 0, &mut seen).await.unwrap_err();
    assert_eq!(error.to_string(), "the call did not finish before its deadline of 5s");
    assert_eq!(
        (error.kind(), Aborted::of(&error)),
        (ErrorKind::TimedOut, Some(Aborted::Deadline(5 * SECOND)))
    );
    assert_eq!(source(&error).as_deref(), Some(QUOTA));
    assert_eq!(seen, [Some(QUOTA.to_owned())]);
    assert_eq!(error.disposition(), Disposition::Unknown);
    // A limit does not hide it behind another limit.
    assert_eq!(source(&hangs_twice(&mut 0).await.unwrap_err()).as_deref(), Some(QUOTA));
    let error = hangs_twice(&mut 1).await.unwrap_err();
    assert_eq!(
        (source(&error), Aborted::of(&error)),
        (None, Some(Aborted::AttemptTimeout(SECOND)))
    );
    let calls = Cell::new(0);
    let call = RetryPolicy::constant(SECOND).retries(1).deadline(5 * SECOND).retry(async || {
        calls.set(calls.get() + 1);
        if calls.get() > 1 { pending().await } else { Err::<(), _>(io::Error::other(QUOTA)) }
    });
    let error = call.when(|_| true).await.unwrap_err();
    assert!(source(&error).is_some_and(|source| source.contains(QUOTA)), "{error:?}");
}

/// coredis counts only its sleeps, and starts an attempt after the deadline (its findings C4 and C6).
#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_attempts_too() {
    let begin = Instant::now();
    let starts = RefCell::new(Vec::new());
    let slow = async || {
        starts.borrow_mut().push(begin.elapsed());
        sleep(SECOND).await;
        REJECTED
    };
    let policy =
        RetryPolicy::exponential().base_delay(100 * MILLI).unlimited().deadline(500 * MILLI);
    policy.retry(slow).await.expect_err("every attempt fails");
    assert_eq!((starts.into_inner(), begin.elapsed()), (vec![Duration::ZERO], 500 * MILLI));
}
