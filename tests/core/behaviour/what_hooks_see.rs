//! What hooks see: how often they run, with which errors, and where the call stands.

use std::cell::{Cell, RefCell};

use retry_runtime::{Attempt, Composite, Failure, GiveUpReason, retryable};
use tokio::time::sleep;

use super::script::{EVERY_SECOND, Failed, LOST, REJECTED, SECOND, Script, is_lost};

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
            assert_eq!(give_up.reason(), GiveUpReason::RetriesExhausted);
            history.borrow_mut().extend(give_up.error().copied());
        })
        .await;
    assert_eq!(result, Err(Failed::Rejected(2)));
    assert_eq!(history.into_inner(), [0, 1, 2].map(Failed::Rejected));
}
