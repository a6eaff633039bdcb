use std::time::{Duration, Instant};

use retry_runtime::{Aborted, Budget, Constant, GiveUpReason, RetryPolicy, retryable, testing};

use super::{Counter, Failed, SECOND};

#[retryable(blocking, policy = constant(delay = "20ms", retries = 2), attempt = attempt)]
fn plain(counter: &mut u32, text: &str) -> Result<usize, Failed> {
    *counter += 1;
    if attempt < 3 {
        return Err(Failed::Refused);
    }
    let length = Ok::<_, Failed>(text.len())?;
    Ok(length)
}

/// Outside of any runtime.
#[test]
fn a_plain_function_is_retried_and_sleeps_its_thread() {
    let (mut counter, begin) = (0, Instant::now());
    assert_eq!(plain(&mut counter, "four"), Ok(4));
    assert_eq!(counter, 3);
    assert!(begin.elapsed() >= Duration::from_millis(40));
}

#[retryable(
    blocking,
    policy = constant(delay = "0ms", retries = 9),
    budget = budget,
    before = |attempt| seen.push(format!("before {}", attempt.number())),
    on_failure = |failure| seen.push(format!("failed {}", failure.attempt())),
    on_give_up = |give_up| seen.push(format!("gave up: {}", give_up.reason())),
)]
fn hooked(budget: &Budget, seen: &mut Vec<String>) -> Result<(), Failed> {
    Err(Failed::Refused)
}

#[test]
fn hooks_and_guards_work() {
    let budget = Budget::builder().capacity(14).build().expect("possible");
    let mut seen = Vec::new();
    assert_eq!(hooked(&budget, &mut seen), Err(Failed::Refused));
    assert_eq!(seen, ["before 1", "failed 1", "before 2", "gave up: budget"]);
}

#[retryable(blocking, policy = constant(delay = "10ms", retries = unlimited, deadline = "35ms"))]
fn limited(counter: &Counter) -> Result<(), Failed> {
    counter.fail(Failed::Refused)
}

#[test]
fn no_attempt_begins_after_the_deadline() {
    let (counter, begin) = (Counter::default(), Instant::now());
    assert_eq!(limited(&counter), Err(Failed::Refused));
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    assert!(counter.calls() <= 4);
}

const SHARED: RetryPolicy<Constant> = RetryPolicy::constant(Duration::ZERO);

/// The error of some other crate: it can represent no abort.
#[derive(Debug, PartialEq)]
struct Busy;

#[retryable(blocking, policy = constant(delay = "10ms", retries = unlimited), deadline = "35ms", on = |_| true,
            budget = budget)]
fn slow(counter: &Counter, takes: Duration, budget: &Budget) -> Result<(), Busy> {
    std::thread::sleep(takes);
    counter.fail(Failed::Refused).map_err(|_: Failed| Busy)
}

#[retryable(blocking, policy = SHARED, deadline = Duration::ZERO, on = |_| true)]
fn at_once(counter: &Counter) -> Result<(), Busy> {
    counter.fail(Failed::Refused).map_err(|_: Failed| Busy)
}

/// Nothing aborts a thread that blocks, so nothing has to be represented.
#[test]
fn a_deadline_asks_nothing_of_the_error_and_lets_the_first_attempt_run() {
    let (counter, begin) = (Counter::default(), Instant::now());
    assert_eq!(slow(&counter, Duration::ZERO, &Budget::new()), Err(Busy));
    assert!((2..=4).contains(&counter.calls()), "{} attempts", counter.calls());
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    let counter = Counter::default();
    assert_eq!(slow(&counter, Duration::from_millis(50), &Budget::new()), Err(Busy));
    assert_eq!(counter.calls(), 1, "it ran longer than the deadline, and to its end");
    let counter = Counter::default();
    assert_eq!(at_once(&counter), Err(Busy));
    assert_eq!(counter.calls(), 1, "a deadline that has passed when the call begins");
}

#[retryable(blocking, policy = constant(delay = "1h"), cancel = token)]
fn cancelled(token: &tokio_util::sync::CancellationToken) -> Result<(), Failed> {
    Err(Failed::Refused)
}

#[test]
fn a_sleeping_thread_notices_that_its_call_is_cancelled() {
    let token = tokio_util::sync::CancellationToken::new();
    let sleeper = std::thread::spawn({
        let token = token.clone();
        move || cancelled(&token)
    });
    std::thread::sleep(Duration::from_millis(50));
    token.cancel();
    assert_eq!(sleeper.join().expect("no panic"), Err(Failed::Refused));
    assert_eq!(cancelled(&token), Err(Failed::Aborted(Aborted::Cancelled)));
}

#[tokio::test]
async fn a_blocking_call_is_recorded_too() {
    let mut counter = 0;
    let run = testing::record(async { plain(&mut counter, "four") }).await;
    assert_eq!((run.attempts(), run.reason()), (3, None::<GiveUpReason>));
}

#[retryable(blocking, policy = constant(delay = "10ms", retries = unlimited, deadline = "50ms"))]
fn waits(counter: &Counter) -> Result<(), Failed> {
    give_up_at(300, counter)
}

#[retryable(blocking, policy = constant(delay = "0s", retries = unlimited, deadline = "50ms"), on_failure = |_| ())]
fn works(counter: &Counter) -> Result<(), Failed> {
    std::thread::sleep(SECOND / 100);
    give_up_at(300, counter)
}

#[retryable(blocking, policy = constant(delay = "10ms", retries = unlimited), give_up_after = "50ms")]
fn fails(counter: &Counter) -> Result<(), Failed> {
    give_up_at(300, counter)
}

/// Ends a call by itself that nothing else would end.
fn give_up_at(calls: u32, counter: &Counter) -> Result<(), Failed> {
    assert!(counter.calls() < calls, "the limit has passed long ago");
    counter.fail(Failed::Refused)
}

/// A blocking call sleeps for real, and a paused clock stands still meanwhile: its limit never passed.
#[tokio::test(start_paused = true)]
async fn limits_pass_on_a_paused_clock_too() {
    for call in [waits, works, fails] {
        let (counter, begin) = (Counter::default(), std::time::Instant::now());
        assert!(call(&counter).is_err());
        // The first attempt is not timed.
        assert!((2..=6).contains(&counter.calls()), "{} attempts", counter.calls());
        assert!(begin.elapsed() < 5 * SECOND, "{:?}", begin.elapsed());
    }
}
