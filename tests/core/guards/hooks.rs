//! Hooks ask for nothing and outlast nothing that a guard forbids, in the attribute and in the closure form.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    time::Duration,
};

use retry_runtime::{Aborted, CircuitBreaker, GiveUpReason, RetryPolicy, retryable};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Counter, Failed, SECOND};

/// Counts hooks and attempts.
#[derive(Default)]
struct Seen {
    hooks: Cell<u32>,
    attempts: Cell<u32>,
}

impl Seen {
    fn hook(&self) {
        self.hooks.set(self.hooks.get() + 1);
    }

    fn attempt(&self) -> Result<(), Failed> {
        self.attempts.set(self.attempts.get() + 1);
        Ok(())
    }

    fn take(&self) -> (u32, u32) {
        (self.hooks.take(), self.attempts.take())
    }
}

#[retryable(policy = constant(delay = "1s"), breaker = breaker, cancel = token, before = async |_| seen.hook())]
async fn guarded(
    seen: &Seen,
    breaker: &CircuitBreaker,
    token: &CancellationToken,
) -> Result<(), Failed> {
    seen.attempt()
}

#[retryable(policy = constant(delay = "1s", deadline = limit), before = |_| seen.hook())]
async fn limited(seen: &Seen, limit: Duration) -> Result<(), Failed> {
    seen.attempt()
}

#[tokio::test(start_paused = true)]
async fn no_hook_runs_for_a_call_that_does_not_begin() {
    let breaker = CircuitBreaker::builder().minimum_calls(2).build().expect("possible");
    let (seen, token) = (Seen::default(), CancellationToken::new());
    let policy = RetryPolicy::constant(SECOND).breaker(&breaker).cancel(&token);
    let closure = || {
        let call = policy.clone().retry(async || seen.attempt()).before(async |_| seen.hook());
        call.into_future()
    };
    assert_eq!(guarded(&seen, &breaker, &token).await, Ok(()));
    assert_eq!(closure().await, Ok(()));
    assert_eq!(seen.take(), (2, 2), "while nothing forbids it");

    let once = RetryPolicy::constant(SECOND).retries(0).breaker(&breaker);
    for _ in 0..2 {
        let _ = once.clone().retry(async || Err::<(), _>(Failed::Refused)).await;
    }
    for _ in 0..2 {
        let refused = [guarded(&seen, &breaker, &token).await, closure().await];
        assert!(
            refused.iter().all(|end| matches!(end, Err(Failed::Aborted(Aborted::BreakerOpen(_)))))
        );
    }
    token.cancel();
    assert_eq!(guarded(&seen, &breaker, &token).await, Err(Failed::Aborted(Aborted::Cancelled)));
    assert_eq!(closure().await, Err(Failed::Aborted(Aborted::Cancelled)));
    assert_eq!(seen.take(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn no_hook_runs_when_there_is_no_time_at_all() {
    let seen = Seen::default();
    let late = Err(Failed::Aborted(Aborted::Deadline(Duration::ZERO)));
    assert_eq!(limited(&seen, Duration::ZERO).await, late);
    let policy = RetryPolicy::constant(SECOND).deadline(Duration::ZERO);
    let call = policy.retry(async || seen.attempt()).before(async |_| seen.hook());
    assert_eq!(call.await, late);
    assert_eq!(seen.take(), (0, 0));
    assert_eq!(limited(&seen, SECOND).await, Ok(()));
    assert_eq!(seen.take(), (1, 1));
}

/// A probe that was let through before its hook is not asked for again after it, and gives its place back if the hook
/// takes too long.
#[tokio::test(start_paused = true)]
async fn the_hook_of_a_probe_holds_its_place_and_gives_it_back() {
    let breaker = CircuitBreaker::builder().minimum_calls(2).build().expect("possible");
    let once = RetryPolicy::constant(SECOND).retries(0).breaker(&breaker);
    for _ in 0..2 {
        let _ = once.clone().retry(async || Err::<(), _>(Failed::Refused)).await;
    }
    tokio::time::sleep(6 * SECOND).await;
    let hangs = RetryPolicy::constant(SECOND)
        .deadline(SECOND)
        .breaker(&breaker)
        .retry(async || Ok::<_, Failed>(1))
        .before(async |_| pending::<()>().await);
    assert_eq!(hangs.await, Err(Failed::Aborted(Aborted::Deadline(SECOND))));
    let probe = once.clone().retry(async || Ok::<_, Failed>(2)).before(async |_| {
        tokio::time::sleep(SECOND).await;
    });
    assert_eq!(probe.await, Ok(2));
    assert_eq!(once.retry(async || Ok::<_, Failed>(3)).await, Ok(3));
}

#[retryable(policy = constant(delay = "0s"), cancel = token, before = async |_| hang(1).await,
            on_failure = async |_| hang(2).await,
            on_give_up = async |give_up| { reasons.borrow_mut().push(give_up.reason()); hang(3).await })]
async fn hanging(
    hang: impl AsyncFn(u32),
    token: &CancellationToken,
    counter: &Counter,
    reasons: &RefCell<Vec<GiveUpReason>>,
) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_token_ends_every_hook_that_hangs() {
    // Which hook hangs, the attempts made by then, what the caller gets, and why.
    let refused = Failed::Refused;
    let cases = [
        (1, 0, Failed::Aborted(Aborted::Cancelled), GiveUpReason::Cancelled),
        (2, 1, refused, GiveUpReason::Cancelled),
        (3, 3, refused, GiveUpReason::RetriesExhausted),
    ];
    for (hangs, attempts, error, reason) in cases {
        let (token, counter, begin) =
            (CancellationToken::new(), Counter::default(), Instant::now());
        let cancel = async {
            tokio::time::sleep(SECOND).await;
            token.cancel();
        };
        let hang = async |hook| {
            if hook == hangs {
                pending().await
            }
        };
        let reasons = RefCell::default();
        let (result, ()) = tokio::join!(hanging(hang, &token, &counter, &reasons), cancel);
        assert_eq!((result, counter.calls()), (Err(error), attempts), "hook {hangs}");
        assert_eq!((begin.elapsed(), reasons.take()), (SECOND, vec![reason]), "hook {hangs}");

        let (token, counter, begin) =
            (CancellationToken::new(), Counter::default(), Instant::now());
        let cancel = async {
            tokio::time::sleep(SECOND).await;
            token.cancel();
        };
        let call = RetryPolicy::constant(Duration::ZERO)
            .cancel(&token)
            .retry(async || counter.fail::<()>(refused))
            .before(async |_| hang(1).await)
            .on_failure(async |_| hang(2).await)
            .on_give_up(async |give_up| {
                reasons.borrow_mut().push(give_up.reason());
                hang(3).await;
            });
        let (result, ()) = tokio::join!(call.into_future(), cancel);
        assert_eq!((result, counter.calls()), (Err(error), attempts), "hook {hangs}");
        assert_eq!((begin.elapsed(), reasons.take()), (SECOND, vec![reason]), "hook {hangs}");
    }
}
