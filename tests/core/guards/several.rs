//! Guards of several policies that meet in one call: all of them hold, and a member pays for its own retries.

use retry_runtime::{
    Aborted, Budget, CircuitBreaker, Composite, Constant, DynPolicy, GiveUpReason, RetryPolicy,
    policy::{Guarded, Untimed},
    retryable, testing,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Counter, Failed, SECOND};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(SECOND).retries(5);

fn is_refused(error: &Failed) -> bool {
    *error == Failed::Refused
}

fn is_lost(error: &Failed) -> bool {
    *error == Failed::Lost
}

fn is_any(_: &Failed) -> bool {
    true
}

/// Resets, which the second budget is for, were paid by the first (istio/istio#59667).
#[tokio::test(start_paused = true)]
async fn a_member_pays_for_the_retries_that_it_asks_for() {
    let [refused, lost, any] = [(); 3].map(|()| Budget::new());
    let members = Composite::new(
        Composite::new(
            POLICY.on(is_refused).budget(&refused),
            POLICY.retries(1).on(is_any).budget(&any),
        ),
        POLICY.on(is_lost).budget(&lost),
    );
    let levels = || [refused.level(), any.level(), lost.level()];
    let call = members.clone().retry(async || Err::<(), _>(Failed::Lost));
    assert_eq!(call.await, Err(Failed::Lost));
    assert_eq!(levels(), [500, 500 - 14, 500 - 5 * 14]);
    let call = members.clone().retry(async || Err::<(), _>(Failed::Refused));
    assert_eq!(call.await, Err(Failed::Refused));
    assert_eq!(levels(), [500 - 5 * 14, 500 - 2 * 14, 500 - 5 * 14]);
    let erased = DynPolicy::<Failed>::new(members);
    let outcomes = testing::Outcomes::new([Err(Failed::Lost), Ok(())]);
    assert_eq!(erased.retry(async || outcomes.next()).await, Ok(()));
    // What was paid comes back; who paid nothing is told of a success.
    assert_eq!(levels(), [500 - 5 * 14 + 1, 500 - 2 * 14, 500 - 5 * 14]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_of_one_member_leaves_the_others_alone() {
    let (small, large) = (Budget::builder().capacity(14).build().expect("possible"), Budget::new());
    let policy =
        Composite::new(POLICY.on(is_refused).budget(&small), POLICY.on(is_lost).budget(&large));
    let counter = Counter::default();
    let call = policy.clone().retry(async || counter.fail::<()>(Failed::Refused));
    let run = testing::record(call.into_future()).await;
    assert_eq!((counter.calls(), run.reason()), (2, Some(GiveUpReason::Budget)));
    let counter = Counter::default();
    let _ = policy.retry(async || counter.fail::<()>(Failed::Lost)).await;
    assert_eq!((counter.calls(), small.level(), large.level()), (6, 0, 500 - 5 * 14));
}

#[retryable(policy = policy, budget = argument)]
async fn budgets(
    policy: &Guarded<RetryPolicy<Constant>>,
    argument: &Budget,
    counter: &Counter,
) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[tokio::test(start_paused = true)]
async fn the_budgets_of_policy_and_argument_both_pay() {
    let (inner, outer) = (Budget::new(), Budget::new());
    let policy = POLICY.budget(&inner);
    let _ = budgets(&policy, &outer, &Counter::default()).await;
    assert_eq!((inner.level(), outer.level()), (500 - 5 * 14, 500 - 5 * 14));
    let empty = Budget::builder().capacity(14).build().expect("possible");
    let counter = Counter::default();
    let _ = budgets(&policy, &empty, &counter).await;
    // The second retry is not made, so nothing is kept for it.
    assert_eq!((counter.calls(), empty.level(), inner.level()), (2, 0, 500 - 6 * 14));
}

#[retryable(policy = policy, breaker = argument, cancel = token)]
async fn breakers<P>(
    policy: &Guarded<P, retry_runtime::policy::MayAbort>,
    argument: &CircuitBreaker,
    token: &CancellationToken,
    outcome: Result<(), Failed>,
) -> Result<(), Failed>
where
    P: retry_runtime::policy::Decide<Failed, retry_runtime::policy::ByDisposition>,
    P: retry_runtime::policy::Policy<Timing = Untimed>,
{
    outcome
}

#[tokio::test(start_paused = true)]
async fn every_breaker_has_to_admit_a_call_and_hears_of_it() {
    let breaker = |calls| CircuitBreaker::builder().minimum_calls(calls).build().expect("possible");
    let (two, four) = (breaker(2), breaker(4));
    let token = CancellationToken::new();
    let policy = POLICY.retries(0).breaker(&four);
    for _ in 0..2 {
        let failed = breakers(&policy, &two, &token, Err(Failed::Refused)).await;
        assert_eq!(failed, Err(Failed::Refused));
    }
    let rejected = breakers(&policy, &two, &token, Ok(())).await;
    assert!(matches!(rejected, Err(Failed::Aborted(Aborted::BreakerOpen(_)))), "{rejected:?}");
    let fresh = breaker(2);
    for _ in 0..2 {
        let _ = breakers(&policy, &fresh, &token, Err(Failed::Refused)).await;
    }
    // The policy's own has heard of all four, and of none that was rejected.
    let rejected = breakers(&policy, &breaker(2), &token, Ok(())).await;
    assert!(matches!(rejected, Err(Failed::Aborted(Aborted::BreakerOpen(_)))), "{rejected:?}");
    // A probe that the other breaker rejects gives its place back.
    sleep(5 * SECOND + SECOND / 100).await;
    let open = breaker(1);
    let _ =
        breakers(&POLICY.retries(0).breaker(&breaker(9)), &open, &token, Err(Failed::Lost)).await;
    assert!(breakers(&policy, &open, &token, Ok(())).await.is_err());
    assert_eq!(breakers(&policy, &breaker(1), &token, Ok(())).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn every_token_ends_a_wait() {
    for first in [true, false] {
        let tokens = [CancellationToken::new(), CancellationToken::new()];
        let policy = POLICY.cancel(&tokens[0]);
        let begin = Instant::now();
        let cancelled = tokens[usize::from(first)].clone();
        let call = async {
            let breaker = CircuitBreaker::new();
            breakers(&policy, &breaker, &tokens[1], Err(Failed::Refused)).await
        };
        let cancel = async {
            sleep(SECOND / 2).await;
            cancelled.cancel();
        };
        assert_eq!(tokio::join!(call, cancel).0, Err(Failed::Refused));
        assert_eq!(begin.elapsed(), SECOND / 2);
    }
}

#[test]
fn debug_prints_all_of_them() {
    let (one, two) = (Budget::new(), Budget::builder().capacity(20).build().expect("possible"));
    let policy = Composite::new(POLICY.budget(&one), POLICY.budget(&two).give_up_after(SECOND));
    let guards = format!("{:?}", retry_runtime::policy::Policy::guards(&policy));
    assert_eq!(guards, "[Budget(500/500), Budget(20/20)]");
}
