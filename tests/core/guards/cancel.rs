use std::cell::RefCell;

use retry_runtime::{Aborted, GiveUpReason, RetryPolicy, retryable, testing};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Counter, Failed, SECOND};

#[retryable(policy = constant(delay = "1h", retries = 9), cancel = token)]
async fn annotated(token: &CancellationToken, counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

fn cancel_after(token: &CancellationToken, seconds: u32) {
    let token = token.clone();
    tokio::spawn(async move {
        tokio::time::sleep(seconds * SECOND).await;
        token.cancel();
    });
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_once_and_the_caller_gets_the_last_error() {
    let (token, counter, begin) = (CancellationToken::new(), Counter::default(), Instant::now());
    cancel_after(&token, 3);
    let run = testing::record(annotated(&token, &counter)).await;
    assert_eq!(
        (run.output, run.calls[0].reason),
        (Err(Failed::Refused), Some(GiveUpReason::Cancelled))
    );
    assert_eq!((begin.elapsed(), counter.calls()), (3 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_makes_no_first_attempt() {
    let (token, counter) = (CancellationToken::new(), Counter::default());
    token.cancel();
    assert_eq!(annotated(&token, &counter).await, Err(Failed::Aborted(Aborted::Cancelled)));
    assert_eq!(counter.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_runs_is_not_cut() {
    let (token, begin) = (CancellationToken::new(), Instant::now());
    cancel_after(&token, 1);
    let policy = RetryPolicy::constant(SECOND).cancel(&token);
    let value = policy.clone().retry(async || {
        tokio::time::sleep(2 * SECOND).await;
        Ok::<_, Failed>(7)
    });
    assert_eq!(value.await, Ok(7));
    assert_eq!(begin.elapsed(), 2 * SECOND);
    let run = testing::record(async {
        policy
            .nested(retry_runtime::policy::Nested::Allow)
            .retry(async || Err::<(), _>(Failed::Refused))
            .await
    });
    assert_eq!(run.await.output, Err(Failed::Aborted(Aborted::Cancelled)));
}

#[tokio::test(start_paused = true)]
async fn hooks_are_told() {
    let token = CancellationToken::new();
    cancel_after(&token, 1);
    let reasons = RefCell::new(Vec::new());
    let call = RetryPolicy::constant(60 * SECOND)
        .cancel(&token)
        .retry(async || Err::<(), _>(Failed::Refused))
        .on_give_up(async |give_up| reasons.borrow_mut().push(give_up.reason()));
    assert_eq!(call.await, Err(Failed::Refused));
    assert_eq!(*reasons.borrow(), [GiveUpReason::Cancelled]);
}

#[retryable(policy = constant(delay = "1s"), cancel = token, before = |attempt| if attempt.number() > 1 { token.cancel() })]
async fn cancelled_by_its_hook(token: &CancellationToken, counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_in_the_hook_of_a_retry_makes_it_not() {
    let (token, counter) = (CancellationToken::new(), Counter::default());
    let run = testing::record(cancelled_by_its_hook(&token, &counter)).await;
    assert_eq!((run.reason(), run.attempts()), (Some(GiveUpReason::Cancelled), 1));
    assert_eq!((run.output, counter.calls()), (Err(Failed::Refused), 1));
}

#[tokio::test(start_paused = true)]
async fn the_closure_form_asks_after_the_hook_too() {
    let (token, counter) = (CancellationToken::new(), Counter::default());
    let call = RetryPolicy::constant(SECOND)
        .cancel(&token)
        .retry(async || counter.fail::<()>(Failed::Refused))
        .before(async |attempt| {
            if attempt.number() > 1 {
                token.cancel();
            }
        });
    assert_eq!((call.await, counter.calls()), (Err(Failed::Refused), 1));
}
