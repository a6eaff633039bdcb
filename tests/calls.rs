//! What a call does: attempts, classification, polling, composites, limits, cancellation and hooks, on a paused clock.
#![allow(missing_docs)]

use std::{
    cell::{Cell, RefCell},
    future::{Future, pending},
    io::{self, ErrorKind},
    time::Duration,
};

use retry_runtime::{
    Classify, Composite, Constant, Disposition, DynPolicy, Never, Reason, RetryPolicy, TimeLimit,
    Timed, retryable,
};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
const EVERY_SECOND: RetryPolicy<Constant> = RetryPolicy::constant(SECOND);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    Rejected(u32),
    Lost,
    Broken,
    Late(TimeLimit),
}

impl Classify for Failed {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Rejected(_) => Disposition::NotExecuted,
            Self::Lost => Disposition::Unknown,
            Self::Broken | Self::Late(_) => Disposition::Permanent,
        }
    }
}

impl From<TimeLimit> for Failed {
    fn from(limit: TimeLimit) -> Self {
        Self::Late(limit)
    }
}

fn is_rejected(error: &Failed) -> bool {
    matches!(error, Failed::Rejected(_))
}

fn is_lost(error: &Failed) -> bool {
    *error == Failed::Lost
}

/// Counts calls and fails each as scripted, the last entry for ever.
#[derive(Debug)]
struct Script {
    calls: Cell<u32>,
    outcomes: Vec<Result<u32, Failed>>,
    started: RefCell<Vec<Duration>>,
    begin: Instant,
}

impl Script {
    fn new(outcomes: &[Result<u32, Failed>]) -> Self {
        let outcomes = outcomes.to_vec();
        Self { calls: Cell::new(0), outcomes, started: RefCell::default(), begin: Instant::now() }
    }

    fn next(&self) -> Result<u32, Failed> {
        let call = self.calls.get();
        self.calls.set(call + 1);
        self.started.borrow_mut().push(self.begin.elapsed());
        self.outcomes[usize::try_from(call).unwrap_or(usize::MAX).min(self.outcomes.len() - 1)]
    }

    async fn run(&self) -> Result<u32, Failed> {
        self.next()
    }
}

const REJECTED: Result<u32, Failed> = Err(Failed::Rejected(0));
const LOST: Result<u32, Failed> = Err(Failed::Lost);

#[tokio::test(start_paused = true)]
async fn success_at_the_first_attempt_calls_once() {
    let script = Script::new(&[Ok(7)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, Ok(7));
    assert_eq!(script.calls.get(), 1);
    assert_eq!(script.begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn two_retries_make_three_attempts_and_the_last_error_is_returned() {
    let script = Script::new(&[
        Err(Failed::Rejected(1)),
        Err(Failed::Rejected(2)),
        Err(Failed::Rejected(3)),
        Ok(0),
    ]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, Err(Failed::Rejected(3)));
    assert_eq!(*script.started.borrow(), [Duration::ZERO, SECOND, 2 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn zero_retries_and_never_make_one_attempt() {
    let script = Script::new(&[REJECTED]);
    assert_eq!(EVERY_SECOND.retries(0).retry(|| script.run()).await, REJECTED);
    assert_eq!(Never.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 2);
}

/// The exponential backoff of coredis overflows at attempt 1024 (its finding C2) and ends an endless loop.
#[tokio::test(start_paused = true)]
async fn goes_on_beyond_a_thousand_attempts() {
    let script = Script::new(&[REJECTED; 1100].iter().copied().chain([Ok(1)]).collect::<Vec<_>>());
    let policy = RetryPolicy::exponential().max_delay(16 * SECOND).unlimited();
    assert_eq!(policy.retry(|| script.run()).await, Ok(1));
    assert_eq!(script.calls.get(), 1101);
}

#[tokio::test(start_paused = true)]
async fn unknown_outcomes_are_retried_only_if_idempotent() {
    let script = Script::new(&[LOST, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).await, LOST);
    let script = Script::new(&[LOST, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).idempotent().await, Ok(1));
    let script = Script::new(&[Err(Failed::Broken), Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).idempotent().await, Err(Failed::Broken));
}

#[tokio::test(start_paused = true)]
async fn the_named_errors_and_only_they_are_retried() {
    let script = Script::new(&[LOST, REJECTED, Ok(1)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).on(is_lost).await, REJECTED);
    assert_eq!(script.calls.get(), 2);
}

#[derive(Debug, PartialEq)]
struct Unclassified;

#[tokio::test(start_paused = true)]
async fn an_unclassified_error_needs_only_a_rule() {
    let calls = Cell::new(0);
    let policy = EVERY_SECOND.on(|_: &Unclassified| true);
    let result: Result<(), _> = policy
        .retry(async || {
            calls.set(calls.get() + 1);
            Err(Unclassified)
        })
        .await;
    assert_eq!((result, calls.get()), (Err(Unclassified), 3));
}

#[tokio::test(start_paused = true)]
async fn polling_goes_on_until_the_value_is_right() {
    let script = Script::new(&[Ok(1), Ok(2), Ok(3)]);
    assert_eq!(EVERY_SECOND.retry(|| script.run()).on_ok(|value| *value < 3).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn polling_that_never_succeeds_returns_the_last_value() {
    #[retryable(policy = constant(delay = "1s", retries = 2), on_ok = |value| *value < 9,
                on_give_up = |give_up| reasons.borrow_mut().push((give_up.reason(), give_up.error().is_none())))]
    async fn poll(script: &Script, reasons: &RefCell<Vec<(Reason, bool)>>) -> Result<u32, Failed> {
        script.next()
    }
    let script = Script::new(&[Ok(1), Ok(2), Ok(3), Ok(4)]);
    let reasons = RefCell::default();
    assert_eq!(poll(&script, &reasons).await, Ok(3));
    assert_eq!(*reasons.borrow(), [(Reason::RetriesExhausted, true)]);
}

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
    assert_eq!(policy.retry(slow).await, Err(Failed::Late(TimeLimit::Deadline(1500 * MILLI))));
    assert_eq!((begin.elapsed(), calls.get()), (1500 * MILLI, 2));
}

#[tokio::test(start_paused = true)]
async fn no_wait_begins_that_would_pass_the_deadline() {
    let script = Script::new(&[REJECTED]);
    let policy = EVERY_SECOND.unlimited().deadline(2500 * MILLI);
    assert_eq!(policy.retry(|| script.run()).await, REJECTED);
    assert_eq!((script.begin.elapsed(), script.calls.get()), (2 * SECOND, 3));
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
async fn a_hook_that_outlasts_the_deadline_is_cut_and_no_attempt_follows() {
    let script = Script::new(&[REJECTED]);
    let policy = RetryPolicy::constant(MILLI).unlimited().deadline(SECOND);
    let result = policy.retry(|| script.run()).on_failure(async |_| pending::<()>().await).await;
    assert_eq!((result, script.calls.get(), script.begin.elapsed()), (REJECTED, 1, SECOND));
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
    let late = Err(Failed::Late(TimeLimit::Deadline(Duration::ZERO)));
    assert_eq!(EVERY_SECOND.deadline(Duration::ZERO).retry(|| script.run()).await, late);
    assert_eq!(script.calls.get(), 0);
    assert_eq!(EVERY_SECOND.deadline(Duration::MAX).retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn erased_policies_keep_their_state_and_limits() {
    let script = Script::new(&[REJECTED]);
    let erased: DynPolicy<Failed> = DynPolicy::new(EVERY_SECOND.on(is_rejected));
    assert_eq!(erased.clone().retry(|| script.run()).await, REJECTED);
    assert_eq!(erased.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 6);
    let timed: DynPolicy<Failed, Timed> =
        DynPolicy::new(EVERY_SECOND.unlimited().deadline(5 * SECOND));
    let script = Script::new(&[REJECTED]);
    assert_eq!(timed.retry(|| script.run()).await, REJECTED);
    assert_eq!(script.calls.get(), 5);
}

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
    assert_eq!((result, script.calls.get(), reason.get()), (REJECTED, 1, Some(Reason::HookFailed)));
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

#[tokio::test(start_paused = true)]
async fn zero_delays_let_other_tasks_run_without_the_timer() {
    let begin = Instant::now();
    let turns = Cell::new(0);
    let spin = RetryPolicy::constant(Duration::ZERO).unlimited();
    let retried =
        spin.retry(async || if turns.get() < 3 { Err(Failed::Rejected(0)) } else { Ok(()) });
    let other = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            turns.set(turns.get() + 1);
        }
    };
    assert_eq!(tokio::join!(IntoFuture::into_future(retried), other).0, Ok(()));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[test]
fn policies_and_futures_can_be_shared() {
    fn shared<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    fn sendable<T: Future + Send>(_: &T) {}
    shared(&EVERY_SECOND.on(is_lost).or(RetryPolicy::exponential()).deadline(SECOND));
    shared(&DynPolicy::<Failed>::new(Never));
    sendable(&IntoFuture::into_future(EVERY_SECOND.retry(async || Ok::<_, Failed>(1))));
}
