//! What is sent as one: pipelines, transactions, scripts, blocking commands; pairs of fault, number and consent.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use fred::prelude::*;
use retry_runtime::{
    Classify, Disposition,
    fred::{RetryClient, Script},
    policy::Idempotence,
};
use retry_tests::{Bench, Fault};

use super::{
    ALWAYS, DEADLINE, RETRIES,
    bench::{CONSENTS, Consent, bench, client, counter, length, reset},
    faults::faults,
};

/// Each counts once, or takes or adds one element, if it is executed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// `INCR` and `LPUSH`, answered together.
    All,
    /// `INCR` and `LPUSH`, answered one by one.
    TryAll,
    /// `INCR` and `LPUSH` in `MULTI` … `EXEC`.
    Exec,
    /// `GET` under a watch, then `INCR` and `LPUSH`.
    Optimistic,
    /// `INCR` by a script.
    Script,
    /// `BLPOP` of one of five elements.
    BlockingPop,
}

/// What was done, and which commands of it a fault can happen to.
const UNITS: [(Unit, &[&str]); 6] = [
    (Unit::All, &["INCR", "LPUSH"]),
    (Unit::TryAll, &["INCR", "LPUSH"]),
    (Unit::Exec, &["MULTI", "INCR", "EXEC"]),
    (Unit::Optimistic, &["WATCH", "GET", "LPUSH", "EXEC"]),
    (Unit::Script, &["EVALSHA", "EVAL", "SCRIPT"]),
    (Unit::BlockingPop, &["BLPOP"]),
];

/// What the caller is told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Done,
    /// Some of the commands are.
    InPart,
    Failed(Disposition),
}

impl Unit {
    async fn call(self, client: &RetryClient) -> Told {
        let told = |result: FredResult<Value>| match result {
            Ok(_) => Told::Done,
            Err(error) => Told::Failed(error.disposition()),
        };
        match self {
            Self::All | Self::TryAll => {
                let pipeline = client.pipeline();
                pipeline.incr::<(), _>("counter").await.expect("queued");
                pipeline.lpush::<(), _, _>("list", "a").await.expect("queued");
                if self == Self::All {
                    // The error of one command says nothing about the other.
                    return match told(pipeline.all().await) {
                        Told::Done => Told::Done,
                        _ => Told::InPart,
                    };
                }
                let results = pipeline.try_all::<Value>().await;
                if results.iter().all(Result::is_ok) { Told::Done } else { Told::InPart }
            }
            Self::Exec => {
                let multi = client.multi();
                multi.incr::<(), _>("counter").await.expect("queued");
                multi.lpush::<(), _, _>("list", "a").await.expect("queued");
                told(multi.exec(false).await)
            }
            Self::Optimistic => {
                let done = client.transaction("text", |watched, multi| async move {
                    watched.get::<(), _>("text").await?;
                    multi.incr::<(), _>("counter").await?;
                    multi.lpush::<(), _, _>("list", "a").await
                });
                told(done.await)
            }
            Self::Script => {
                let code = "return redis.call('INCR', KEYS[1])";
                let script = Script::new(code, Idempotence::NotIdempotent);
                let _: FredResult<Value> = client.run_script(&script, "counter", ()).await;
                told(client.run_script(&script, "other", ()).await)
            }
            Self::BlockingPop => told(client.blpop("list", 0.1).await),
        }
    }

    /// Returns the effects when none is on its way any more: the call may end before its commands arrive.
    async fn settled_effects(self, bench: &Bench) -> Vec<u32> {
        let mut effects = self.effects(bench);
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let later = self.effects(bench);
            if effects == later {
                return effects;
            }
            effects = later;
        }
    }

    /// Returns how often each part took effect.
    fn effects(self, bench: &Bench) -> Vec<u32> {
        match self {
            Self::Script => vec![counter(bench)],
            Self::BlockingPop => vec![5 - length(bench)],
            _ => vec![counter(bench), length(bench) - 5],
        }
    }
}

/// Runs one case and returns what is wrong with it.
async fn case(
    bench: &Bench,
    unit: Unit,
    target: &str,
    fault: &Fault,
    times: u32,
    consent: Consent,
) -> String {
    reset(bench).await;
    let before = bench.proxy.sent(target);
    bench.proxy.inject(target, fault.clone(), times);
    let begin = Instant::now();
    let told = unit.call(&client(bench, consent)).await;
    let elapsed = begin.elapsed();
    let sent = bench.proxy.sent(target) - before;
    let effects = unit.settled_effects(bench).await;
    let line = format!(
        "{unit:?} {target} {fault:?} x{times} {consent:?}: {told:?}, sent {sent}, effects {effects:?}"
    );
    println!("{line}");
    let mut wrong = String::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            writeln!(wrong, "{line}: {what}").expect("text");
        }
    };
    let calls = if unit == Unit::Script { 2 } else { 1 };
    check(sent <= calls * (RETRIES + 1), "more was sent than there are attempts");
    check(elapsed <= calls * DEADLINE + Duration::from_millis(500), "the deadline was passed");
    let once = effects.iter().all(|effects| *effects <= 1);
    check(once || consent == Consent::Idempotent, "executed twice without consent");
    if unit == Unit::Exec || unit == Unit::Optimistic {
        check(effects[0] == effects[1], "a transaction was executed in part");
    }
    if unit != Unit::Script {
        let none = effects.iter().all(|effects| *effects == 0);
        let all = effects.iter().all(|effects| *effects >= 1);
        check(told != Told::Done || all, "done, but not executed");
        check(
            told != Told::Failed(Disposition::NotExecuted) || none,
            "executed, but told otherwise",
        );
    }
    wrong
}

async fn all_pairs(unit: Unit, targets: &[&str]) -> String {
    let bench = bench().await;
    let mut failures = String::new();
    for target in targets {
        for (row, (fault, _)) in faults().iter().enumerate() {
            for (column, times) in [1, RETRIES, ALWAYS].into_iter().enumerate() {
                let consent = CONSENTS[(row + column) % 3];
                failures += &case(&bench, unit, target, fault, times, consent).await;
            }
        }
    }
    failures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pair_of_fault_number_and_consent_on_what_is_sent_as_one() {
    let units = UNITS.map(|(unit, targets)| tokio::spawn(all_pairs(unit, targets)));
    let mut failures = String::new();
    for unit in units {
        failures += &unit.await.expect("no panic");
    }
    assert!(failures.is_empty(), "\n{failures}");
}
