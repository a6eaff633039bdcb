//! Policies and calls are configured in any order, by every policy.

use std::{
    cell::{Cell, RefCell},
    io,
    sync::LazyLock,
    time::Duration,
};

use retry_runtime::{
    Budget, Constant, DynPolicy, Exponential, Failure, GiveUpReason, Never, PolicyExt, RetryPolicy,
    backoff::Random,
    policy::{
        ByDisposition, Decide, Decision, Guards, Limits, Measured, Policy, Timed, Untimed,
        UntimedDynPolicy, WithGuards,
    },
    retryable,
};
use tokio::time::Instant;

use super::script::SECOND;

static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::new);

const PLAIN: RetryPolicy = RetryPolicy::exponential();
const LIMITED: RetryPolicy<Exponential, ByDisposition, Timed> =
    RetryPolicy::exponential().deadline(SECOND).retries(5).base_delay(SECOND);
const NAMED: RetryPolicy<Constant, fn(&io::Error) -> bool> =
    RetryPolicy::constant(SECOND).on(is_refused as fn(&io::Error) -> bool).retries(9);
const EVERY_SECOND: RetryPolicy<Constant> = RetryPolicy::constant(SECOND);

fn is_refused(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// Counts its calls, each of which is refused.
async fn refused(calls: &Cell<u32>) -> io::Result<()> {
    calls.set(calls.get() + 1);
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Counts the attempts of a call that is refused each time.
macro_rules! attempts {
    ($policy:expr) => {{
        let calls = Cell::new(0);
        assert!($policy.retry(|| refused(&calls)).await.is_err());
        calls.get()
    }};
}

#[tokio::test(start_paused = true)]
async fn constants_keep_every_setting_whatever_their_order() {
    let begin = Instant::now();
    let calls = Cell::new(0);
    assert!(NAMED.retry(|| refused(&calls)).await.is_err());
    assert_eq!((calls.get(), begin.elapsed()), (10, 9 * SECOND));

    let calls = Cell::new(0);
    assert!(PLAIN.retry(|| refused(&calls)).await.is_err());
    assert_eq!(calls.get(), 3);

    // The first wait draws from 0 ..= 1 s: whatever it is, no attempt begins after the deadline.
    let (begin, calls) = (Instant::now(), Cell::new(0));
    assert!(LIMITED.retry(|| refused(&calls)).await.is_err());
    assert!(begin.elapsed() <= SECOND);
}

#[tokio::test(start_paused = true)]
async fn limits_rules_and_settings_follow_guards() {
    let limited = EVERY_SECOND.budget(&BUDGET).deadline(3 * SECOND + SECOND / 2).unlimited();
    assert_eq!(attempts!(limited), 4);
    let named = EVERY_SECOND.budget(&BUDGET).on(|_: &io::Error| false).retries(9);
    assert_eq!(attempts!(named), 1);
    let either = EVERY_SECOND.budget(&BUDGET).retries(0).or(EVERY_SECOND.retries(4));
    assert_eq!(attempts!(either), 5);
    let never = EVERY_SECOND.budget(&BUDGET).or(Never);
    assert_eq!(attempts!(never), 3);
}

#[tokio::test(start_paused = true)]
async fn calls_are_configured_after_their_hooks() {
    let calls = Cell::new(0);
    let seen = RefCell::new(Vec::new());
    let result = EVERY_SECOND
        .retry(|| refused(&calls))
        .on_failure(async |failure| seen.borrow_mut().push(failure.attempt()))
        .when(|_| true)
        .deadline(SECOND + SECOND / 2)
        .budget(&BUDGET)
        .idempotent()
        .name("connect")
        .on_give_up(async |over| assert_eq!(over.operation(), "connect"))
        .await;
    assert!(result.is_err());
    assert_eq!(*seen.borrow(), [1]);
    assert_eq!(calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_budget_and_a_deadline_are_named_at_the_call() {
    let calls = Cell::new(0);
    let budget = Budget::builder().capacity(14).build().unwrap();
    assert!(PLAIN.retries(9).retry(|| refused(&calls)).budget(&budget).await.is_err());
    assert_eq!(calls.get(), 2, "the second retry finds the budget empty");
    let begin = Instant::now();
    let error = PLAIN.retry(std::future::pending::<io::Result<()>>).deadline(SECOND).await;
    assert_eq!((error.unwrap_err().kind(), begin.elapsed()), (io::ErrorKind::TimedOut, SECOND));
}

#[tokio::test(start_paused = true)]
async fn plain_closures_are_told_of_failures() {
    let mut seen = Vec::new();
    let calls = Cell::new(0);
    let call = EVERY_SECOND.retry(|| refused(&calls)).notify(|failure| {
        seen.push((failure.attempt(), failure.delay()));
    });
    assert!(call.await.is_err());
    assert_eq!(seen, [(1, SECOND), (2, SECOND)]);
}

struct Service {
    policy: DynPolicy<io::Error>,
}

#[tokio::test(start_paused = true)]
async fn any_policy_is_chosen_at_run_time() {
    for (policy, expected) in [
        (DynPolicy::new(EVERY_SECOND.unlimited().deadline(2 * SECOND + SECOND / 2)), 3),
        (DynPolicy::new(EVERY_SECOND.retries(4)), 5),
        (DynPolicy::new(EVERY_SECOND.retries(4).budget(&BUDGET)), 5),
        (DynPolicy::new(Never), 1),
    ] {
        let service = Service { policy };
        let calls = Cell::new(0);
        assert!(service.policy.clone().retry(|| refused(&calls)).await.is_err());
        assert_eq!(calls.get(), expected, "{:?}", service.policy);
    }
}

/// An error of another crate: it can represent no limit, and says nothing of itself.
#[derive(Debug, PartialEq)]
struct Foreign;

#[tokio::test(start_paused = true)]
async fn retrying_stops_after_a_time_for_errors_that_represent_no_limit() {
    const POLICY: RetryPolicy<Constant, ByDisposition, Measured> =
        RetryPolicy::constant(SECOND).unlimited().retry_for(Duration::from_secs(3));
    let begin = Instant::now();
    let calls = Cell::new(0);
    let slow = async || {
        calls.set(calls.get() + 1);
        tokio::time::sleep(5 * SECOND / 4).await;
        Err::<(), _>(Foreign)
    };
    // Attempts end after 1.25 s and after 3.5 s: the second begins at 2.25 s, and nothing aborts it.
    assert_eq!(POLICY.retry(slow).when(|_| true).await, Err(Foreign));
    assert_eq!((calls.get(), begin.elapsed()), (2, 7 * SECOND / 2));

    let erased: UntimedDynPolicy<Foreign> = DynPolicy::untimed(POLICY.budget(&BUDGET));
    let begin = Instant::now();
    let once = async || Err::<(), _>(Foreign);
    assert_eq!(erased.retry(once).when(|_| true).await, Err(Foreign));
    assert_eq!(begin.elapsed(), 2 * SECOND);
}

#[test]
fn blocking_operations_are_retried_without_a_runtime() {
    let policy = RetryPolicy::constant(Duration::from_millis(1)).retries(4);
    let calls = Cell::new(0);
    let mut seen = Vec::new();
    let answer = policy
        .deadline(SECOND)
        .retry_blocking(|| {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(Foreign) } else { Ok(calls.get()) }
        })
        .when(|_| true)
        .on_ok(|value| *value < 4)
        .notify(|failure| seen.push(failure.attempt()))
        .call();
    assert_eq!(answer, Ok(4));
    assert_eq!(seen, [1, 2, 3]);
    // A deadline aborts nothing that blocks: the one attempt is made.
    let late = policy.deadline(Duration::ZERO).retry_blocking(|| Err::<(), _>(Foreign));
    assert_eq!(late.when(|_| true).call(), Err(Foreign));
}

#[derive(Debug, Clone, Copy)]
struct Stubborn(u32);

impl Policy for Stubborn {
    type State = ();
    type Timing = Untimed;
}

impl<E, R> Decide<E, R> for Stubborn {
    fn decide(&self, failure: &Failure<'_, E>, _: &R, (): &mut (), _: &mut Random) -> Decision {
        if failure.attempt() < self.0 {
            Decision::retry_after(SECOND)
        } else {
            Decision::give_up(GiveUpReason::RetriesExhausted)
        }
    }
}

/// Caps the delays of any policy.
struct Capped<P>(P);

impl<P: Policy> Policy for Capped<P> {
    type State = P::State;
    type Timing = P::Timing;

    fn limits(&self) -> Limits {
        self.0.limits()
    }
}

impl<E, R, P: Decide<E, R>> Decide<E, R> for Capped<P> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        match self.0.decide(failure, rule, state, random) {
            Decision::Retry(pause) => {
                Decision::Retry(pause.with_delay(pause.delay().min(SECOND / 10)))
            }
            stop => stop,
        }
    }
}

/// A policy with guards of its own.
struct OnBudget(Budget);

impl Policy for OnBudget {
    type State = ();
    type Timing = WithGuards<Untimed>;

    fn guards(&self) -> Guards {
        Guards::new().budget(&self.0)
    }
}

impl<E, R> Decide<E, R> for OnBudget {
    fn decide(&self, _: &Failure<'_, E>, _: &R, (): &mut (), _: &mut Random) -> Decision {
        Decision::retry_after(Duration::ZERO)
    }
}

#[tokio::test(start_paused = true)]
async fn own_policies_have_every_method() {
    assert_eq!(attempts!(Stubborn(3)), 3);
    assert_eq!(attempts!(Stubborn(9).deadline(SECOND + SECOND / 2).budget(&BUDGET)), 2);
    let begin = Instant::now();
    assert_eq!(attempts!(Capped(EVERY_SECOND)), 3);
    assert_eq!(begin.elapsed(), SECOND / 5);
    let budget = Budget::builder().capacity(28).build().unwrap();
    assert_eq!(attempts!(OnBudget(budget.clone())), 3);
}

/// Such a rule is named last, or wrapped by [`PolicyExt`].
#[tokio::test(start_paused = true)]
async fn rules_that_cannot_be_copied_are_taken_as_well() {
    let word = String::from("refused");
    let names = move |error: &io::Error| error.to_string().contains(&word);
    let policy = EVERY_SECOND.deadline(3 * SECOND / 2).retries(4).on(names);
    assert_eq!(attempts!(PolicyExt::retry_for(policy, SECOND / 2)), 1);
    let word = String::from("refused");
    let names = move |error: &io::Error| error.to_string().contains(&word);
    assert_eq!(attempts!(EVERY_SECOND.deadline(3 * SECOND / 2).retries(4).on(names)), 2);
}

/// Generic over its policy: the bound names the timing, because the errors of limits depend on it.
struct Generic<P> {
    policy: P,
}

impl<P: Decide<io::Error, ByDisposition> + Policy<Timing = Untimed>> Generic<P> {
    #[retryable(policy = self.policy)]
    async fn call(&self, calls: &Cell<u32>) -> io::Result<()> {
        refused(calls).await
    }
}

#[tokio::test(start_paused = true)]
async fn services_are_generic_over_their_policy() {
    let calls = Cell::new(0);
    assert!(Generic { policy: Capped(EVERY_SECOND) }.call(&calls).await.is_err());
    assert!(Generic { policy: Stubborn(2) }.call(&calls).await.is_err());
    assert_eq!(calls.get(), 3 + 2);
}
