//! The scenarios of every form of a call, in commands of a client.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fred::{error::ErrorKind, prelude::*};
use retry_runtime::{ErrorClass, GiveUpReason, testing};
use retry_tests::{
    Bench, Fault,
    scenarios::{End, Kind, SCENARIOS, Scenario, Seen, Step},
};

/// Long enough that a command on this machine is answered in a fraction of it.
const DELAY: Duration = Duration::from_millis(200);

fn fault(step: Step) -> Option<Fault> {
    match step {
        Step::Answers | Step::NotYet => None,
        Step::Refused => Some(Fault::ErrorInstead("OOM command not allowed".to_owned())),
        Step::Lost => Some(Fault::LoseReply),
        Step::Broken => Some(Fault::ErrorInstead("ERR value is not an integer".to_owned())),
        Step::Hangs => Some(Fault::HoldReply),
    }
}

/// Both limits are one error of fred's, so that the reason tells them apart.
fn end(result: FredResult<i64>, reason: Option<GiveUpReason>) -> End {
    let Err(error) = result else { return End::Answer };
    match (error.kind(), reason) {
        (ErrorKind::Timeout, Some(GiveUpReason::Deadline)) => End::Deadline,
        (ErrorKind::Timeout, _) => End::AttemptTimeout,
        (ErrorKind::Canceled, Some(GiveUpReason::Cancelled)) => End::Cancelled,
        (ErrorKind::Backpressure, _) => End::BreakerOpen,
        _ if ErrorClass::OOM.matches(&error) => End::Refused,
        _ if error.details().contains("not an integer") => End::Broken,
        _ if ErrorClass::CONNECTION.matches(&error) => End::Lost,
        _ => panic!("{error:?}"),
    }
}

async fn seen(scenario: &'static Scenario) -> Seen {
    let bench = Bench::builder().await.reconnect_at_once().connect(scenario.policy(DELAY)).await;
    // The policy of a cancelled call counts from here.
    let client = bench.client.without_budgets().with_policy(scenario.policy(DELAY));
    let client = if scenario.kind == Kind::Idempotent { client.idempotent() } else { client };
    let told = Arc::<Mutex<Vec<GiveUpReason>>>::default();
    let client = client
        .before(async |attempt| {
            bench.proxy.clear();
            if let Some(fault) = fault(scenario.step(attempt.number())) {
                bench.proxy.inject("INCR", fault, 1);
            }
        })
        .on_give_up(async |over| told.lock().expect("no panic").push(over.reason()));
    let begin = Instant::now();
    let recording = testing::record(async { client.incr::<i64, _>("counter").await }).await;
    let halves = begin.elapsed().as_micros() / (DELAY / 2).as_micros();
    let (delays, reason) = (recording.delays(), recording.reason());
    assert!(delays.iter().all(|delay| *delay == DELAY), "{scenario:?}: {delays:?}");
    assert_eq!(*told.lock().expect("no panic"), Vec::from_iter(reason), "{scenario:?}");
    Seen {
        end: end(recording.output, reason),
        attempts: bench.proxy.sent("INCR"),
        waits: u32::try_from(delays.len()).expect("few"),
        halves: u32::try_from(halves).expect("not long"),
        reason,
    }
}

/// Returns the row of a client, which differs in two points.
fn expected(scenario: &Scenario) -> Seen {
    let mut expected = scenario.expected;
    let last = (expected.attempts > 0).then(|| scenario.step(expected.attempts));
    if last == Some(Step::Hangs) && scenario.kind == Kind::Plain {
        // fred's own timer ends the attempt, and its error is an unknown outcome like every other.
        expected.end = End::AttemptTimeout;
        expected.reason = Some(GiveUpReason::NotIdempotent);
    }
    if scenario.steps[0] == Step::Lost {
        // A wait ends when the lost connection is back.
        expected.halves = 0;
    }
    expected
}

/// The clock is not paused, since a server is asked: nothing ends before its time, and the rest is as on a paused one.
#[tokio::test]
async fn a_client_gives_the_same_row() {
    let mut wrong = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.is_for_clients()) {
        let seen = seen(scenario).await;
        let expected = expected(scenario);
        let halves = expected.halves;
        if seen.halves < halves || (Seen { halves, ..seen }) != expected {
            wrong.push(format!("{scenario:?}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
