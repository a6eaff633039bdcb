//! The tables of events and metrics in the crate's documentation, row by row.

use std::{fmt, panic::AssertUnwindSafe};

use futures_support::catch;
use retry_runtime::{
    Budget, CircuitBreaker, GiveUpReason, RetryPolicy,
    breaker::CircuitState,
    policy::Nested,
    retryable,
    testing::{self, Outcomes},
};
use tokio_util::sync::CancellationToken;
use tracing::Level;

use super::{
    Failed, SECOND,
    telemetry::{Counts, told},
};

type Answer = Result<u32, Failed>;

#[retryable(policy = constant(delay = "1s", retries = 1, deadline = "1m"))]
async fn limited(outcomes: &Outcomes<Answer>) -> Answer {
    outcomes.next()
}

#[retryable(policy = constant(delay = "1s", retries = 1), on_ok = |value| *value == 0)]
async fn polled(outcomes: &Outcomes<Answer>) -> Answer {
    outcomes.next()
}

fn row(level: Level, text: &str) -> (Level, String) {
    (level, text.to_owned())
}

/// Runs a call and returns what it told.
async fn events(call: impl Future) -> Vec<(Level, String)> {
    told(call).await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_retried_and_recovers() {
    let outcomes = Outcomes::new([Err(Failed::Refused), Ok(7)]);
    let expected = [
        row(
            Level::WARN,
            "message=attempt failed, will retry operation=limited attempt=1 delay=1s elapsed=0ns \
             disposition=not_executed error.class=REFUSED error.message=Refused",
        ),
        row(
            Level::DEBUG,
            "message=call succeeded after a retry operation=limited attempt=2 elapsed=1s \
             reason=success_after_retry",
        ),
    ];
    assert_eq!(events(limited(&outcomes)).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_failed_after_something_was_tried_is_an_error() {
    let outcomes = Outcomes::new([Err(Failed::Refused), Err(Failed::Broken)]);
    let expected = row(
        Level::ERROR,
        "message=call failed operation=limited attempt=2 elapsed=1s disposition=permanent \
         error.class=BROKEN error.message=Broken reason=not_retryable",
    );
    assert_eq!(events(limited(&outcomes)).await[1], expected);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_an_error_and_an_answer_is_not() {
    let expected = [row(
        Level::ERROR,
        "message=call failed operation=limited attempt=1 elapsed=0ns disposition=unknown \
         error.class=LOST error.message=Lost reason=not_idempotent",
    )];
    assert_eq!(events(limited(&Outcomes::new([Err(Failed::Lost)]))).await, expected);
    let expected = [row(
        Level::DEBUG,
        "message=call was answered with an error operation=limited attempt=1 elapsed=0ns \
         disposition=permanent error.class=BROKEN error.message=Broken reason=not_retryable",
    )];
    assert_eq!(events(limited(&Outcomes::new([Err(Failed::Broken)]))).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_wanted_yet_is_no_failure() {
    let recorder = Counts::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let expected = [
        row(
            Level::DEBUG,
            "message=value is not wanted yet, will ask again operation=polled attempt=1 delay=1s \
             disposition=not_executed error.class=pending",
        ),
        row(
            Level::INFO,
            "message=call ended with a value that is not wanted yet operation=polled attempt=2 \
             disposition=not_executed error.class=pending reason=retries_exhausted",
        ),
    ];
    assert_eq!(events(polled(&Outcomes::new([Ok(0), Ok(0)]))).await, expected);
    let names = ["retry.calls operation=polled attempts=after_retry outcome=pending"];
    assert_eq!(recorder.names("retry.calls"), names);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_is_no_news() {
    let breaker = CircuitBreaker::builder().name("catalog").build().expect("possible");
    breaker.force_open();
    let policy = RetryPolicy::constant(SECOND).retries(9);
    let refused = policy.breaker(&breaker).retry(async || Ok::<_, Failed>(7)).name("read");
    let expected = [row(
        Level::DEBUG,
        "message=call was refused operation=read attempt=1 elapsed=0ns error.class=breaker_open \
         error.message=Aborted(BreakerOpen(Rejected { breaker: \"catalog\", \
         retry_in: 18446744073709551615.999999999s })) reason=breaker_open",
    )];
    assert_eq!(events(refused.into_future()).await, expected);
    let token = CancellationToken::new();
    token.cancel();
    let cancelled = policy.cancel(&token).retry(async || Ok::<_, Failed>(7)).name("read");
    let expected = [row(
        Level::DEBUG,
        "message=call was refused operation=read attempt=1 elapsed=0ns error.class=cancelled \
         error.message=Aborted(Cancelled) reason=cancelled",
    )];
    assert_eq!(events(cancelled.into_future()).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_ended_by_its_owner_is_information() {
    let policy = RetryPolicy::constant(SECOND).retries(9);
    let token = CancellationToken::new();
    let fail = async || Err::<(), _>(Failed::Refused);
    let cancelled = policy.cancel(&token).retry(fail).name("read");
    let both = async { tokio::join!(cancelled.into_future(), async { token.cancel() }) };
    let expected = row(
        Level::INFO,
        "message=call was cancelled operation=read attempt=1 elapsed=0ns \
         disposition=not_executed error.class=REFUSED error.message=Refused reason=cancelled",
    );
    assert_eq!(events(both).await[1], expected);
    let dropped = policy.retry(fail).name("read").into_future();
    let expected = row(
        Level::INFO,
        "message=call was dropped operation=read attempt=1 elapsed=500ms reason=cancelled",
    );
    assert_eq!(events(tokio::time::timeout(SECOND / 2, dropped)).await[1], expected);
}

#[tokio::test(start_paused = true)]
async fn of_nested_calls_the_one_that_retries_tells_of_the_failure() {
    let outer = RetryPolicy::constant(SECOND).retries(1).nested(Nested::OuterOnly);
    let inner = RetryPolicy::constant(SECOND);
    let fail = async || Err::<(), _>(Failed::Refused);
    let call = outer.retry(async || inner.retry(fail).name("inner").await).name("outer");
    let levels: Vec<_> =
        events(call.into_future()).await.into_iter().map(|(level, _)| level).collect();
    assert_eq!(levels, [Level::DEBUG, Level::WARN, Level::DEBUG, Level::ERROR]);
}

struct Shown;

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("for programmers")
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("certificate expired")
    }
}

#[derive(Debug)]
struct Derived;

struct Silent;

#[retryable(policy = constant(delay = "0s", retries = 0), on = |_| true)]
async fn fails<E>(error: impl Fn() -> E) -> Result<(), E> {
    Err(error())
}

#[retryable(policy = constant(delay = "0s", retries = 0), on = |_| true)]
async fn fails_for_users() -> Result<(), Shown> {
    Err(Shown)
}

#[retryable(policy = constant(delay = "0s", retries = 0), on = |_| true)]
async fn fails_for_programmers() -> Result<(), Derived> {
    Err(Derived)
}

#[retryable(policy = constant(delay = "0s", retries = 0), on = |_| true)]
async fn fails_silently() -> Result<(), Silent> {
    Err(Silent)
}

#[tokio::test]
async fn the_text_of_an_error_is_what_its_type_prints() {
    let message = async |call: Vec<(Level, String)>| {
        let text = call[0].1.split_once("error.message=");
        text.map(|(_, text)| text.trim_end_matches(" reason=retries_exhausted").to_owned())
    };
    let found = message(events(fails_for_users()).await).await;
    assert_eq!(found.as_deref(), Some("certificate expired"));
    let found = message(events(fails_for_programmers()).await).await;
    assert_eq!(found.as_deref(), Some("Derived"));
    let silent = events(fails_silently()).await;
    assert!(silent[0].1.contains("error.class=unclassified "), "{silent:?}");
    assert_eq!(message(silent).await, None);
    assert_eq!(message(events(fails(|| Shown)).await).await, None, "nothing is known of `E`");
    let policy = RetryPolicy::constant(SECOND).retries(0);
    let call = policy.retry(async || Err::<(), _>(Shown)).when(|_| true);
    let found = message(events(call.into_future()).await).await;
    assert_eq!(found.as_deref(), Some("for programmers"));
}

#[retryable(policy = constant(delay = "1s", retries = 9), breaker = breaker)]
async fn panics(breaker: &CircuitBreaker, outcomes: &Outcomes<Option<Answer>>) -> Answer {
    outcomes.next().expect("boom")
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_ending_of_its_own() {
    let recorder = Counts::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let breaker = CircuitBreaker::builder().minimum_calls(3).build().expect("possible");
    let outcomes = Outcomes::new([Some(Err(Failed::Refused)), None]);
    let expected = row(
        Level::ERROR,
        "message=call panicked operation=panics attempt=2 elapsed=1s reason=panicked",
    );
    let run = events(catch(panics(&breaker, &outcomes))).await;
    assert_eq!(run[1], expected);
    let outcomes = Outcomes::new([None]);
    assert_eq!(events(catch(panics(&breaker, &outcomes))).await.len(), 1, "the breaker opened");
    assert_eq!(breaker.state(), CircuitState::Open);
    let calls = |attempts| {
        recorder.get(&format!("retry.calls operation=panics attempts={attempts} outcome=panicked"))
    };
    assert_eq!((calls("after_retry"), calls("first_attempt")), (1, 1));
}

/// The future of the closure form is polled by hand, and dropped after the panic.
#[tokio::test(start_paused = true)]
async fn a_panic_in_the_closure_form_is_one_too() {
    let breaker = CircuitBreaker::builder().minimum_calls(4).build().expect("possible");
    let policy = RetryPolicy::constant(SECOND).breaker(&breaker);
    let panics = async || -> Answer { panic!("boom") };
    for _ in 0..2 {
        catch(policy.clone().retry(panics).into_future()).await;
        catch(policy.clone().retry(panics).name("panics").into_future()).await;
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    let outcomes = Outcomes::new([Some(Err(Failed::Refused)), None]);
    let policy = RetryPolicy::constant(SECOND);
    let call = policy.retry(async || -> Answer { outcomes.next().expect("boom") });
    let run = testing::record(catch(call.into_future())).await;
    assert_eq!((run.attempts(), run.reason()), (2, Some(GiveUpReason::Panicked)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_beside_a_panic_is_no_failure() {
    let breaker = CircuitBreaker::builder().minimum_calls(1).build().expect("possible");
    let policy = RetryPolicy::constant(SECOND).breaker(&breaker);
    let waits = policy.retry(std::future::pending::<Answer>).name("waits").into_future();
    catch(async {
        let both = async {
            tokio::task::yield_now().await;
            panic!("boom")
        };
        tokio::join!(waits, both)
    })
    .await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_its_first_attempt_is_counted() {
    let recorder = Counts::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    #[retryable]
    async fn hangs() -> Answer {
        std::future::pending().await
    }
    assert_eq!(events(tokio::time::timeout(SECOND, hangs())).await, [], "nothing had failed");
    let budget = Budget::new();
    let policy = RetryPolicy::constant(SECOND).budget(&budget);
    let call = policy.retry(std::future::pending::<Answer>).into_future();
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    drop(hangs());
    let dropped = "attempts=first_attempt outcome=cancelled";
    let names = [
        format!("retry.calls operation= {dropped}"),
        format!("retry.calls operation=hangs {dropped}"),
    ];
    assert_eq!(recorder.names("retry.calls"), names);
    assert_eq!(recorder.get(&names[1]), 1, "one that was never polled did not begin");
}

mod futures_support {
    use super::AssertUnwindSafe;
    use std::{
        future::{Future, poll_fn},
        panic::catch_unwind,
        pin::pin,
        task::Poll,
    };

    /// Runs a future to its end or its panic.
    pub(super) async fn catch<F: Future>(future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        })
        .await
    }
}
