//! Hooks: order, what they see, what their failure does.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use retry_runtime::{Aborted, GiveUpReason, RetryPolicy, retryable};
use tokio::time::{Instant, sleep};

use super::script::{EVERY_SECOND, Failed, MILLI, REJECTED, SECOND, Script, Unclassified};

#[retryable(policy = constant(delay = "1s", retries = 2), attempt = attempt,
            before = |seen| log.borrow_mut().push(format!("before {} {:?}", seen.number(), seen.elapsed())),
            on_failure = async |failure| log.borrow_mut().push(
                format!("failed {} {:?} {:?} {:?}", failure.attempt(), failure.elapsed(), failure.delay(), failure.error())),
            on_give_up = |give_up| log.borrow_mut().push(format!("gave up {} {}", give_up.attempt(), give_up.reason())))]
async fn logged(script: &Script, log: &RefCell<Vec<String>>) -> Result<u32, Failed> {
    log.borrow_mut().push(format!("attempt {attempt}"));
    script.next()
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_order_and_see_the_failure() {
    let (script, log) = (Script::new(&[REJECTED]), RefCell::default());
    assert_eq!(logged(&script, &log).await, REJECTED);
    assert_eq!(
        *log.borrow(),
        [
            "before 1 0ns",
            "attempt 1",
            "failed 1 0ns 1s Some(Rejected(0))",
            "before 2 1s",
            "attempt 2",
            "failed 2 1s 1s Some(Rejected(0))",
            "before 3 2s",
            "attempt 3",
            "gave up 3 retries_exhausted",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn success_runs_no_failure_hook() {
    let (script, log) = (Script::new(&[Ok(1)]), RefCell::default());
    assert_eq!(logged(&script, &log).await, Ok(1));
    assert_eq!(*log.borrow(), ["before 1 0ns", "attempt 1"]);
}

/// In coredis a failing hook is swallowed or replaces the error (its findings C7 and C8).
#[tokio::test(start_paused = true)]
async fn a_failing_hook_ends_the_retrying_with_the_operations_own_error() {
    let reason = Cell::new(None);
    let script = Script::new(&[REJECTED]);
    let result = EVERY_SECOND
        .retry(|| script.run())
        .on_failure(async |_| Err::<(), _>("hook"))
        .on_give_up(async |give_up| reason.set(Some(give_up.reason())))
        .await;
    assert_eq!(
        (result, script.calls.get(), reason.get()),
        (REJECTED, 1, Some(GiveUpReason::HookFailed))
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_before_hook_lets_the_first_attempt_run() {
    let script = Script::new(&[REJECTED]);
    let result = EVERY_SECOND.retry(|| script.run()).before(async |_| Err::<(), _>("hook")).await;
    assert_eq!((result, script.calls.get()), (REJECTED, 1));
    let script = Script::new(&[REJECTED]);
    let before = async |attempt: &retry_runtime::Attempt| {
        if attempt.is_retry() { Err("hook") } else { Ok(()) }
    };
    assert_eq!(EVERY_SECOND.retry(|| script.run()).before(before).await, REJECTED);
    assert_eq!(script.calls.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_repairs_what_made_the_operation_fail() {
    #[retryable(policy = constant(delay = "0s", retries = 1), on = |_| true, on_failure = repair(keys))]
    async fn push(keys: &Cell<&'static str>) -> Result<(), Unclassified> {
        if keys.get() == "list" { Ok(()) } else { Err(Unclassified) }
    }
    fn repair(keys: &Cell<&'static str>) -> impl Fn(&retry_runtime::Failure<'_, Unclassified>) {
        |_| keys.set("list")
    }
    assert_eq!(push(&Cell::new("string")).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_outlasts_the_deadline_is_cut_and_no_attempt_follows() {
    let script = Script::new(&[REJECTED]);
    let policy = RetryPolicy::constant(MILLI).unlimited().deadline(SECOND);
    let result = policy.retry(|| script.run()).on_failure(async |_| pending::<()>().await).await;
    assert_eq!((result, script.calls.get(), script.begin.elapsed()), (REJECTED, 1, SECOND));
}

#[tokio::test(start_paused = true)]
async fn failing_hooks_of_the_attribute_end_the_retrying() {
    #[retryable(policy = constant(delay = "1s", retries = 5),
                before = |attempt| if attempt.number() < 3 { Ok(()) } else { Err("hook") },
                on_give_up = |give_up| reason.set(Some(give_up.reason())))]
    async fn stopped_before(
        script: &Script,
        reason: &Cell<Option<GiveUpReason>>,
    ) -> Result<u32, Failed> {
        script.next()
    }
    #[retryable(policy = constant(delay = "1s", retries = 5), on_failure = async |_| Err::<(), _>("hook"),
                on_give_up = |give_up| reason.set(Some(give_up.reason())))]
    async fn stopped_after(
        script: &Script,
        reason: &Cell<Option<GiveUpReason>>,
    ) -> Result<u32, Failed> {
        script.next()
    }
    let (script, reason) = (Script::new(&[REJECTED]), Cell::new(None));
    assert_eq!(stopped_before(&script, &reason).await, REJECTED);
    assert_eq!((script.calls.get(), reason.take()), (2, Some(GiveUpReason::HookFailed)));
    let script = Script::new(&[REJECTED]);
    assert_eq!(stopped_after(&script, &reason).await, REJECTED);
    assert_eq!((script.calls.get(), reason.take()), (1, Some(GiveUpReason::HookFailed)));
    assert_eq!(script.begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_before_hook_that_outlasts_the_deadline_is_cut_with_the_last_error() {
    #[retryable(policy = constant(delay = "100ms", retries = 5, deadline = "1s"),
                before = async |attempt| if attempt.is_retry() { pending::<()>().await })]
    async fn call(script: &Script) -> Result<u32, Failed> {
        script.next()
    }
    let script = Script::new(&[REJECTED]);
    assert_eq!(call(&script).await, REJECTED);
    assert_eq!((script.calls.get(), script.begin.elapsed()), (1, SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_give_up_hook_that_hangs_ends_at_the_deadline() {
    #[retryable(policy = constant(delay = SECOND, deadline = "500ms"), on_give_up = async |_| pending::<()>().await)]
    async fn call(script: &Script) -> Result<u32, Failed> {
        script.next()
    }
    let script = Script::new(&[REJECTED]);
    assert_eq!((call(&script).await, script.begin.elapsed()), (REJECTED, 500 * MILLI));
    let script = Script::new(&[REJECTED]);
    let result = RetryPolicy::constant(SECOND)
        .deadline(500 * MILLI)
        .retry(|| script.run())
        .on_give_up(async |_| pending::<()>().await)
        .await;
    assert_eq!((result, script.begin.elapsed()), (REJECTED, 500 * MILLI));
}

/// Up to where it waits for the first time.
#[tokio::test(start_paused = true)]
async fn a_give_up_hook_runs_even_after_the_deadline() {
    #[retryable(policy = constant(delay = SECOND, deadline = "500ms"),
                on_give_up = async |give_up| { seen.set(Some(give_up.reason())); sleep(SECOND).await; seen.set(None); })]
    async fn call(seen: &Cell<Option<GiveUpReason>>) -> Result<u32, Failed> {
        pending().await
    }
    let (seen, begin) = (Cell::new(None), Instant::now());
    assert_eq!(call(&seen).await, Err(Failed::Late(Aborted::Deadline(500 * MILLI))));
    assert_eq!((seen.get(), begin.elapsed()), (Some(GiveUpReason::Deadline), 500 * MILLI));
}

/// A static in a hook is one static.
#[tokio::test(start_paused = true)]
async fn a_before_hook_is_one_piece_of_code() {
    #[retryable(policy = constant(delay = "1s"), before = |_| {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        seen.borrow_mut().push(RUNS.fetch_add(1, Ordering::Relaxed));
    })]
    async fn call(seen: &RefCell<Vec<u32>>) -> Result<u32, Failed> {
        REJECTED
    }
    let seen = RefCell::default();
    assert_eq!(call(&seen).await, REJECTED);
    assert_eq!(seen.into_inner(), [0, 1, 2]);
}

/// So that hooks and rules can borrow what the body borrows.
#[tokio::test(start_paused = true)]
async fn the_policy_is_evaluated_once_rules_and_hooks_each_time_they_are_asked() {
    #[retryable(policy = make(made), on = rule(made), before = hook(made))]
    async fn call(made: &Cell<u32>) -> Result<u32, Failed> {
        REJECTED
    }
    fn make(made: &Cell<u32>) -> RetryPolicy<retry_runtime::Constant> {
        made.set(made.get() + 1);
        EVERY_SECOND
    }
    fn rule(made: &Cell<u32>) -> impl Fn(&Failed) -> bool + use<> {
        made.set(made.get() + 10);
        |_| true
    }
    fn hook(made: &Cell<u32>) -> impl Fn(&retry_runtime::Attempt) + use<> {
        made.set(made.get() + 100);
        |_| ()
    }
    let made = Cell::new(0);
    assert_eq!(call(&made).await, REJECTED);
    assert_eq!(made.get(), 1 + 3 * 10 + 3 * 100);
}

#[tokio::test(start_paused = true)]
async fn hooks_learn_the_name_of_the_operation() {
    #[retryable(on_give_up = |give_up| names.borrow_mut().push(give_up.operation().to_owned()))]
    async fn own_name(names: &RefCell<Vec<String>>) -> Result<u32, Failed> {
        Err(Failed::Broken)
    }
    #[retryable(name = "given", on_give_up = |give_up| names.borrow_mut().push(give_up.operation().to_owned()))]
    async fn given_name(names: &RefCell<Vec<String>>) -> Result<u32, Failed> {
        Err(Failed::Broken)
    }
    let (names, script) = (RefCell::default(), Script::new(&[Err(Failed::Broken)]));
    own_name(&names).await.expect_err("broken");
    given_name(&names).await.expect_err("broken");
    let hook = async |give_up: &retry_runtime::GiveUp<'_, Failed>| {
        names.borrow_mut().push(give_up.operation().to_owned());
    };
    let _ = EVERY_SECOND.retry(|| script.run()).name("before").on_give_up(hook).await;
    let _ = EVERY_SECOND.retry(|| script.run()).on_give_up(hook).name("after").await;
    assert_eq!(names.into_inner(), ["own_name", "given", "before", "after"]);
}
