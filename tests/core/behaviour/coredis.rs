//! What coredis' own suite asserts about retries, and its measured defects that must not be here.

use std::{
    cell::{Cell, RefCell},
    panic::AssertUnwindSafe,
    time::Duration,
};

use retry_runtime::{
    Attempt, Classify, Composite, ConfigError, Disposition, Exponential, Failure, Jitter, Reason,
    RetryPolicy, retryable,
};
use tokio::time::{Instant, sleep};

use super::script::{EVERY_SECOND, Failed, LOST, MILLI, REJECTED, SECOND, Script, is_lost};

/// Counts the hooks of one call under `policy`: `(body, before, on_failure)`.
macro_rules! counts {
    ($policy:expr, $script:expr) => {{
        let (before, failed) = (Cell::new(0), Cell::new(0));
        let result = $policy
            .retry(|| $script.run())
            .before(async |_| before.set(before.get() + 1))
            .on_failure(async |_| failed.set(failed.get() + 1))
            .await;
        (result, $script.calls.get(), before.get(), failed.get())
    }};
}

#[tokio::test(start_paused = true)]
async fn success_runs_body_and_before_once_and_no_failure_hook() {
    let script = Script::new(&[Ok(1)]);
    assert_eq!(counts!(EVERY_SECOND, script), (Ok(1), 1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn one_retry_runs_body_and_before_twice_and_the_failure_hook_once() {
    let script = Script::new(&[REJECTED]);
    assert_eq!(counts!(EVERY_SECOND.retries(1), script), (REJECTED, 2, 2, 1));
    let script = Script::new(&[REJECTED]);
    let composite = Composite::new(EVERY_SECOND.retries(1), EVERY_SECOND.on(is_lost));
    assert_eq!(counts!(composite, script), (REJECTED, 2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_composite_without_a_member_for_the_error_ends_at_once() {
    let script = Script::new(&[REJECTED]);
    let composite = EVERY_SECOND.on(is_lost).or(EVERY_SECOND.on(is_lost));
    assert_eq!(counts!(composite, script), (REJECTED, 1, 1, 0));
}

/// coredis maps error types to hooks; here a hook matches on the error.
#[tokio::test(start_paused = true)]
async fn a_hook_can_tell_errors_apart() {
    let repairs = RefCell::new(Vec::new());
    let script = Script::new(&[LOST, REJECTED, Ok(1)]);
    let result = EVERY_SECOND
        .retry(|| script.run())
        .idempotent()
        .on_failure(async |failure| match failure.error() {
            Some(Failed::Lost) => repairs.borrow_mut().push("reconnect"),
            Some(Failed::Rejected(_)) => repairs.borrow_mut().push("reload"),
            _ => {}
        })
        .await;
    assert_eq!((result, repairs.into_inner()), (Ok(1), vec!["reconnect", "reload"]));
}

/// Several failures of one attempt, as an exception group of Python.
#[derive(Debug, PartialEq)]
enum Group {
    Leaf(Failed),
    Several(Vec<Self>),
}

impl Group {
    fn any(&self, test: &impl Fn(&Failed) -> bool) -> bool {
        match self {
            Self::Leaf(leaf) => test(leaf),
            Self::Several(members) => members.iter().any(|member| member.any(test)),
        }
    }
}

/// The group is as bad as its worst leaf.
impl Classify for Group {
    fn disposition(&self) -> Disposition {
        let has = |disposition| self.any(&|leaf: &Failed| leaf.disposition() == disposition);
        if has(Disposition::Permanent) {
            Disposition::Permanent
        } else if has(Disposition::Unknown) {
            Disposition::Unknown
        } else {
            Disposition::NotExecuted
        }
    }
}

fn nested(leaf: Failed) -> Group {
    Group::Several(vec![Group::Leaf(Failed::Rejected(1)), Group::Several(vec![Group::Leaf(leaf)])])
}

#[tokio::test(start_paused = true)]
async fn a_rule_can_look_into_groups_of_errors() {
    let calls = Cell::new(0);
    let lost = EVERY_SECOND.on(|group: &Group| group.any(&is_lost));
    let fail = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(nested(Failed::Lost))
    };
    assert_eq!(lost.retry(fail).await, Err(nested(Failed::Lost)));
    assert_eq!(calls.get(), 3);
}

/// coredis retries a group that holds a leaf which must not be retried (its finding C9).
#[tokio::test(start_paused = true)]
async fn a_group_with_a_permanent_leaf_is_not_retried() {
    let calls = Cell::new(0);
    let fail = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(nested(Failed::Broken))
    };
    assert_eq!(EVERY_SECOND.retry(fail).idempotent().await, Err(nested(Failed::Broken)));
    assert_eq!(calls.get(), 1);
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

/// coredis' jitter exceeds a longest delay that is below the base delay (its finding C16).
#[test]
fn a_longest_delay_below_the_base_holds_and_is_found_by_a_check() {
    let policy = RetryPolicy::exponential().base_delay(SECOND).max_delay(MILLI);
    assert!(policy.schedule().all(|bounds| bounds == (Duration::ZERO..=MILLI)));
    assert_eq!(
        policy.check(),
        Err(ConfigError::MaxDelayBelowBase { base_delay: SECOND, max_delay: MILLI })
    );
}

/// coredis tells its hooks the exception and nothing else, and the body nothing at all (its finding C18).
#[tokio::test(start_paused = true)]
async fn hooks_and_body_know_where_the_call_stands() {
    fn see(seen: &RefCell<Vec<(u32, u64, u64)>>, failure: &Failure<'_, Failed>) {
        let (elapsed, delay) = (failure.elapsed().as_secs(), failure.delay().as_secs());
        seen.borrow_mut().push((failure.attempt(), elapsed, delay));
    }
    #[retryable(policy = constant(delay = "2s", retries = 2), attempt = attempt,
                before = |attempt: &Attempt| upcoming.borrow_mut().push(attempt.number()),
                on_failure = |failure| see(seen, failure))]
    async fn call(
        seen: &RefCell<Vec<(u32, u64, u64)>>,
        upcoming: &RefCell<Vec<u32>>,
    ) -> Result<u32, Failed> {
        sleep(SECOND).await;
        Err(Failed::Rejected(attempt))
    }
    let (seen, upcoming) = (RefCell::default(), RefCell::default());
    assert_eq!(call(&seen, &upcoming).await, Err(Failed::Rejected(3)));
    assert_eq!(seen.into_inner(), [(1, 1, 2), (2, 4, 2)]);
    assert_eq!(upcoming.into_inner(), [1, 2, 3]);
}

/// coredis loses the earlier errors when the retries are used up, and wraps the last (its finding C20).
#[tokio::test(start_paused = true)]
async fn the_last_error_comes_unwrapped_and_hooks_have_seen_the_earlier_ones() {
    let history = RefCell::new(Vec::new());
    let script = Script::new(&[REJECTED, Err(Failed::Rejected(1)), Err(Failed::Rejected(2))]);
    let result = EVERY_SECOND
        .retry(|| script.run())
        .on_failure(async |failure| history.borrow_mut().extend(failure.error().copied()))
        .on_give_up(async |give_up| {
            assert_eq!(give_up.reason(), Reason::RetriesExhausted);
            history.borrow_mut().extend(give_up.error().copied());
        })
        .await;
    assert_eq!(result, Err(Failed::Rejected(2)));
    assert_eq!(history.into_inner(), [0, 1, 2].map(Failed::Rejected));
}
