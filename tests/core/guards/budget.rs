use std::{sync::LazyLock, time::Duration};

use retry_runtime::{Budget, GiveUpReason, RetryPolicy, retryable, testing};

use super::{Counter, Failed, SECOND};

static SHARED: LazyLock<Budget> = LazyLock::new(Budget::new);

#[retryable(policy = constant(delay = "1s", retries = 1000), budget = SHARED)]
async fn annotated(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn retries_stop_when_the_budget_is_empty_and_the_error_is_the_operations_own() {
    let counter = Counter::default();
    let run = testing::record(annotated(&counter)).await;
    assert_eq!((run.output, counter.calls()), (Err(Failed::Refused), 36));
    assert_eq!(run.calls[0].reason, Some(GiveUpReason::Budget));
    // Another call finds it empty, and fails at once.
    let run = testing::record(annotated(&counter)).await;
    assert_eq!((run.reason(), counter.calls()), (Some(GiveUpReason::Budget), 37));
}

async fn attempts(budget: &Budget, error: Failed) -> u32 {
    let counter = Counter::default();
    let policy = RetryPolicy::constant(SECOND).retries(1000).budget(budget);
    let _: Result<(), _> = policy.retry(async || counter.fail(error)).await;
    counter.calls()
}

#[tokio::test(start_paused = true)]
async fn a_retry_costs_what_its_failure_says() {
    assert_eq!(attempts(&Budget::new(), Failed::Refused).await, 36);
    assert_eq!(attempts(&Budget::new(), Failed::Busy(None)).await, 101);
    assert_eq!(attempts(&Budget::new(), Failed::Kept).await, 1001);
}

#[tokio::test(start_paused = true)]
async fn successes_pay_back() {
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).budget(&budget);
    let outcomes = testing::Outcomes::new([Err(Failed::Refused), Err(Failed::Refused), Ok(())]);
    policy.clone().retry(async || outcomes.next()).await.expect("the third attempt");
    // The first retry failed, the second one's tokens came back.
    assert_eq!(budget.level(), 500 - 14);
    policy.retry(async || Ok::<_, Failed>(())).await.expect("at once");
    assert_eq!(budget.level(), 500 - 14 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_costs_nothing_and_while_it_runs_what_it_cost() {
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).budget(&budget);
    let waits = policy.clone().retry(async || Err::<(), _>(Failed::Refused));
    let dropped = tokio::time::timeout(SECOND / 2, waits.into_future()).await;
    assert!(dropped.is_err());
    assert_eq!(budget.level(), 500);
    let counter = Counter::default();
    let runs = policy.retry(async || {
        if counter.calls() > 0 {
            std::future::pending::<()>().await;
        }
        counter.fail::<()>(Failed::Refused)
    });
    let dropped = tokio::time::timeout(2 * SECOND, runs.into_future()).await;
    assert!(dropped.is_err());
    assert_eq!(budget.level(), 500 - 14);
}

#[tokio::test(start_paused = true)]
async fn what_the_deadline_ends_is_not_paid_for() {
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).retries(9).deadline(SECOND / 2).budget(&budget);
    let run = testing::record(async { policy.retry(async || Err::<(), _>(Failed::Refused)).await });
    assert_eq!(run.await.reason(), Some(GiveUpReason::Deadline));
    assert_eq!(budget.level(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_gives_back_what_was_paid() {
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).budget(&budget);
    let call = policy
        .retry(async || Err::<(), _>(Failed::Refused))
        .on_failure(async |_| Err::<(), ()>(()));
    assert_eq!(call.await, Err(Failed::Refused));
    assert_eq!(budget.level(), 500);
}

#[tokio::test(start_paused = true)]
async fn tasks_share_a_budget_exactly() {
    let budget = Budget::new();
    let tasks = (0..50).map(|_| {
        let policy = RetryPolicy::constant(Duration::from_millis(1)).retries(10).budget(&budget);
        tokio::spawn(async move { policy.retry(async || Err::<(), _>(Failed::Refused)).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("no panic"), Err(Failed::Refused));
    }
    assert_eq!((budget.statistics().withdrawn, budget.level()), (35, 500 - 35 * 14));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_the_wanted_one_pays_back_its_retry() {
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).retries(3).budget(&budget);
    let outcomes = testing::Outcomes::new([Err(Failed::Refused), Ok(1), Err(Failed::Refused)]);
    let call = policy
        .retry(async || outcomes.next())
        .on_ok(|value| *value == 1)
        .on_failure(async |failure| if failure.attempt() == 3 { Err(()) } else { Ok(()) });
    assert_eq!(call.await, Err(Failed::Refused));
    assert_eq!((budget.level(), budget.statistics().refunded), (500, 2));
}
