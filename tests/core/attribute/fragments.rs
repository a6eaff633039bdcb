//! A value means the same in parentheses and through a `macro_rules!` macro as it does by itself.

use std::{cell::Cell, io, time::Duration};

use retry_runtime::{Budget, GiveUpReason, retryable};
use tokio::time::Instant;

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// Every argument is an expression, as in a macro that makes the methods of a client.
macro_rules! call {
    ($name:ident($log:ident, $shared:ident), $delay:expr, $retries:expr, $jitter:expr, $factor:expr, $limit:expr, $on:expr, $on_ok:expr,
     $before:expr, $on_failure:expr, $on_give_up:expr, $nested:expr, $reset:expr, $budget:expr, $text:expr) => {
        #[retryable(
            policy = exponential(base_delay = $delay, max_delay = $limit, retries = $retries, jitter = $jitter,
                                 factor = $factor, deadline = $limit, attempt_timeout = $limit),
            on = $on, on_ok = $on_ok, before = $before, on_failure = $on_failure, on_give_up = $on_give_up,
            nested = $nested, reset_after = $reset, budget = $budget, name = $text, attempt = number
        )]
        async fn $name($log: &Cell<u32>, outcome: &dyn Fn(u32) -> io::Result<u32>, $shared: &Budget) -> io::Result<u32> {
            outcome(number)
        }
    };
}

call!(
    expressions(log, budget),
    "1s",
    3,
    none,
    3,
    "1h",
    |error| error.kind() == io::ErrorKind::ConnectionRefused,
    |value| *value < 4,
    |_| log.set(log.get() + 1),
    async |failure| assert_eq!(failure.operation(), "named"),
    |give_up| assert_eq!(give_up.reason(), GiveUpReason::RetriesExhausted),
    inner_only,
    "30m",
    budget,
    "named"
);

macro_rules! literals {
    ($name:ident, $delay:literal, $retries:literal) => {
        #[retryable(policy = constant(delay = $delay, retries = $retries), on = |_| true)]
        async fn $name() -> io::Result<u32> {
            Err(refused())
        }
    };
}
literals!(literal, "1s", 2);

macro_rules! whole_policy {
    ($name:ident, $policy:expr) => {
        #[retryable(policy = $policy, on = |_| true)]
        async fn $name() -> io::Result<u32> {
            Err(refused())
        }
    };
}
whole_policy!(policy_of_ours, constant(delay = "1s", retries = 2));
whole_policy!(
    members,
    composite(constant(delay = "1s", retries = 2), constant(delay = "2s", retries = 1))
);

const ONE: u32 = 1;

/// A group inside an expression keeps it together: `2 * (1 + 1)` and not `2 * 1 + 1`.
macro_rules! doubled {
    ($name:ident, $retries:expr) => {
        #[retryable(policy = constant(delay = "1s", retries = 2 * $retries), on = |_| true)]
        async fn $name(succeeds: bool) -> io::Result<u32> {
            if succeeds { Ok(2 * $retries) } else { Err(refused()) }
        }
    };
}
doubled!(four_retries, ONE + ONE);

#[retryable(policy = (exponential(base_delay = ("1s"), retries = ((unlimited)), jitter = (none), factor = (2))),
            on = (|error| error.kind() == io::ErrorKind::ConnectionRefused), nested = (inner_only),
            on_failure = (async |failure| assert!(failure.attempt() < 3)), on_ok = (|value| *value == 0))]
async fn parentheses(calls: &Cell<u32>) -> io::Result<u32> {
    calls.set(calls.get() + 1);
    if calls.get() < 3 { Err(refused()) } else { Ok(calls.get()) }
}

#[tokio::test(start_paused = true)]
async fn expressions_of_a_macro_mean_what_they_say() {
    let (log, budget, begin) = (Cell::new(0), Budget::new(), Instant::now());
    let outcome = |number| if number < 3 { Err(refused()) } else { Ok(number) };
    assert_eq!(expressions(&log, &outcome, &budget).await.unwrap(), 3 + 1);
    // 1 s, then three times that, and nine times that until the value is as wanted.
    assert_eq!((log.get(), begin.elapsed()), (4, Duration::from_secs(1 + 3 + 9)));
    // A value that is not as wanted costs nothing.
    assert_eq!(budget.statistics().withdrawn, 2);
}

#[tokio::test(start_paused = true)]
async fn literals_and_policies_of_a_macro_mean_what_they_say() {
    let begin = Instant::now();
    assert!(literal().await.is_err());
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    assert!(policy_of_ours().await.is_err());
    assert_eq!(begin.elapsed(), Duration::from_secs(4));
    assert!(members().await.is_err());
    assert_eq!(begin.elapsed(), Duration::from_secs(4 + 2 + 1));
}

#[tokio::test(start_paused = true)]
async fn an_expression_of_a_macro_stays_together() {
    let begin = Instant::now();
    assert_eq!(four_retries(true).await.unwrap(), 4);
    assert!(four_retries(false).await.is_err());
    assert_eq!(begin.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn parentheses_change_nothing() {
    let begin = Instant::now();
    assert_eq!(parentheses(&Cell::new(0)).await.unwrap(), 3);
    assert_eq!(begin.elapsed(), Duration::from_secs(1 + 2));
}
