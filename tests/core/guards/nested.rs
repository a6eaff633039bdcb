use std::cell::RefCell;

use retry_runtime::{
    GiveUpReason, RetryPolicy, current_attempt, policy::Nested, retryable, testing,
};

use super::{Counter, Failed, SECOND};

#[retryable(policy = constant(delay = "1s", retries = 1))]
async fn inner(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[retryable(policy = constant(delay = "1s", retries = 2))]
async fn both(counter: &Counter) -> Result<(), Failed> {
    inner(counter).await
}

#[retryable(policy = constant(delay = "1s", retries = 2), nested = outer_only)]
async fn outer_only(counter: &Counter) -> Result<(), Failed> {
    inner(counter).await
}

#[retryable(policy = constant(delay = "1s", retries = 2), nested = inner_only)]
async fn inner_only(counter: &Counter) -> Result<(), Failed> {
    inner(counter).await
}

#[tokio::test(start_paused = true)]
async fn attempts_multiply_unless_one_of_the_two_is_told_not_to_retry() {
    let calls = async |run: &mut dyn AsyncCall| run.calls().await;
    assert_eq!(calls(&mut Case(both)).await, 6);
    assert_eq!(calls(&mut Case(outer_only)).await, 3);
    assert_eq!(calls(&mut Case(inner_only)).await, 2);
}

/// Runs one of the functions and counts.
trait AsyncCall {
    fn calls(&mut self) -> std::pin::Pin<Box<dyn Future<Output = u32> + '_>>;
}

struct Case<F>(F);

impl<F> AsyncCall for Case<F>
where
    F: AsyncFn(&Counter) -> Result<(), Failed>,
{
    fn calls(&mut self) -> std::pin::Pin<Box<dyn Future<Output = u32> + '_>> {
        Box::pin(async {
            let counter = Counter::default();
            assert_eq!((self.0)(&counter).await, Err(Failed::Refused));
            counter.calls()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_reason_says_who_retries() {
    let counter = Counter::default();
    let run = testing::record(outer_only(&counter)).await;
    let reasons: Vec<_> = run.calls.iter().map(|call| (call.operation, call.reason)).collect();
    assert_eq!(reasons[0], ("inner", Some(GiveUpReason::Nested)));
    let run = testing::record(inner_only(&counter)).await;
    let reasons: Vec<_> = run.calls.iter().map(|call| (call.operation, call.reason)).collect();
    assert_eq!(reasons[0], ("inner", Some(GiveUpReason::RetriesExhausted)));
    assert_eq!(reasons[1], ("inner_only", Some(GiveUpReason::Nested)));
}

/// A failure that nothing inside has retried is retried outside.
#[tokio::test(start_paused = true)]
async fn inner_only_retries_what_did_not_come_from_an_inner_call() {
    let counter = Counter::default();
    let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
    let result = policy.retry(async || counter.fail::<()>(Failed::Refused)).await;
    assert_eq!((result, counter.calls()), (Err(Failed::Refused), 4));
}

/// So is one that follows a call inside which retried and succeeded.
#[tokio::test(start_paused = true)]
async fn inner_only_retries_what_failed_after_an_inner_call_recovered() {
    let (counter, recovers) = (Counter::default(), RetryPolicy::constant(SECOND));
    let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
    let call = policy.retry(async || {
        let outcomes = testing::Outcomes::new([Err(Failed::Refused), Ok(())]);
        recovers.retry(async || outcomes.next()).await?;
        counter.fail::<()>(Failed::Refused)
    });
    assert_eq!((call.await, counter.calls()), (Err(Failed::Refused), 4));
}

/// Fails once, after it has waited for an answer.
async fn database(counter: &Counter) -> Result<u32, Failed> {
    tokio::task::yield_now().await;
    if counter.calls() == 0 { counter.fail(Failed::Refused) } else { Ok(42) }
}

#[retryable(policy = constant(delay = "1s", retries = 3), nested = inner_only)]
async fn with_cache(cache: &Counter, data: &Counter) -> Result<u32, Failed> {
    match inner(cache).await {
        Ok(()) => Ok(0),
        Err(_) => database(data).await,
    }
}

/// Who retried what, when one failure was handled and another follows (failsafe-lib/failsafe#379).
#[tokio::test(start_paused = true)]
async fn a_handled_failure_of_an_inner_call_does_not_forbid_a_later_retry() {
    let (cache, data) = (Counter::default(), Counter::default());
    assert_eq!(with_cache(&cache, &data).await, Ok(42));
    assert_eq!((cache.calls(), data.calls()), (4, 1));
}

/// A call inside that failed at its first attempt, and was not retried, is the last that ended.
#[tokio::test(start_paused = true)]
async fn a_later_call_that_did_not_retry_is_retried_outside() {
    let (cache, data) = (Counter::default(), Counter::default());
    let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
    let call = policy.retry(async || {
        let _ = inner(&cache).await;
        let once = RetryPolicy::constant(SECOND).retries(0);
        once.retry(async || data.fail::<()>(Failed::Refused)).await
    });
    assert_eq!((call.await, data.calls()), (Err(Failed::Refused), 4));
}

/// The inner failure comes out through a layer that adds nothing.
#[tokio::test(start_paused = true)]
async fn a_failure_that_is_passed_on_stays_that_of_the_inner_call() {
    let counter = Counter::default();
    let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
    let call = policy.retry(async || {
        tokio::task::yield_now().await;
        tokio::time::timeout(99 * SECOND, inner(&counter)).await.expect("in time")?;
        Ok::<_, Failed>(())
    });
    assert_eq!((call.await, counter.calls()), (Err(Failed::Refused), 2));
}

#[retryable(policy = constant(delay = "1s", retries = 1), on_give_up = async |_| tokio::time::sleep(SECOND).await)]
async fn told(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn a_hook_at_its_end_does_not_hide_the_inner_call() {
    for hooked in [false, true] {
        let counter = Counter::default();
        let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
        let call = policy.retry(async || match hooked {
            false => told(&counter).await,
            true => {
                let inner = RetryPolicy::constant(SECOND).retries(1);
                let call = inner.retry(async || counter.fail::<()>(Failed::Refused));
                call.on_give_up(async |_| tokio::time::sleep(SECOND).await).await
            }
        });
        assert_eq!((call.await, counter.calls()), (Err(Failed::Refused), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_side_by_side_in_one_task_are_not_nested() {
    let (one, two) = (Counter::default(), Counter::default());
    let _ = tokio::join!(outer_only(&one), inner(&two));
    assert_eq!((one.calls(), two.calls()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn what_the_body_calls_can_read_the_attempt() {
    let seen = RefCell::new(Vec::new());
    let look = || seen.borrow_mut().push(current_attempt());
    let call = RetryPolicy::constant(SECOND).retries(2).retry(async || {
        look();
        tokio::task::yield_now().await;
        look();
        Err::<(), _>(Failed::Refused)
    });
    let _ = call.await;
    look();
    assert_eq!(*seen.borrow(), [1, 1, 2, 2, 3, 3, 1]);
}

/// A failure that follows at once cannot be told from the one that was handled; to yield in between tells them apart.
#[tokio::test(start_paused = true)]
async fn yielding_after_a_handled_failure_tells_the_next_one_apart() {
    for (yields, calls) in [(false, 1), (true, 4)] {
        let (cache, data) = (Counter::default(), Counter::default());
        let policy = RetryPolicy::constant(SECOND).retries(3).nested(Nested::InnerOnly);
        let call = policy.retry(async || {
            let _ = inner(&cache).await;
            if yields {
                tokio::task::yield_now().await;
            }
            data.fail::<()>(Failed::Refused)
        });
        assert_eq!((call.await, data.calls()), (Err(Failed::Refused), calls));
    }
}
