//! Single commands: every fault, once and more often, on every class of command, under every consent.

use std::fmt::Write as _;

use fred::prelude::*;
use retry_runtime::{Classify, Disposition, fred::RetryClient};
use retry_tests::{Bench, Fault};

use super::{
    ALWAYS, RETRIES,
    bench::{CONSENTS, Consent, bench, client, counter, executed, length, reset},
    faults::{Truth, faults},
};

/// One command of each replay class, and of the writes each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Read.
    Get,
    /// Idempotent.
    Set,
    /// The same state, another answer.
    Sadd,
    /// Not idempotent: counts, adds, takes.
    Incr,
    Lpush,
    Lpop,
    /// Opaque.
    Eval,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Sadd => "SADD",
            Self::Incr => "INCR",
            Self::Lpush => "LPUSH",
            Self::Lpop => "LPOP",
            Self::Eval => "EVAL",
        }
    }

    fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }

    async fn call(self, client: &RetryClient) -> FredResult<Value> {
        match self {
            Self::Get => client.get("text").await,
            Self::Set => client.set("text", "a", None, None, false).await,
            Self::Sadd => client.sadd("set", "a").await,
            Self::Incr => client.incr("counter").await,
            Self::Lpush => client.lpush("list", "a").await,
            Self::Lpop => client.lpop("list", None).await,
            Self::Eval => client.eval("return redis.call('INCR', KEYS[1])", "counter", ()).await,
        }
    }
}

/// Returns how often a write took effect, by what it left.
fn effects(bench: &Bench, kind: Kind) -> Option<u32> {
    match kind {
        Kind::Incr | Kind::Eval => Some(counter(bench)),
        Kind::Lpush => Some(length(bench) - 5),
        Kind::Lpop => Some(5 - length(bench)),
        Kind::Get | Kind::Set | Kind::Sadd => None,
    }
}

/// Runs one case and returns what is wrong with it, and how it went.
async fn case(
    bench: &Bench,
    kind: Kind,
    (fault, truth): &(Fault, Truth),
    times: u32,
    consent: Consent,
) -> (Vec<String>, String) {
    reset(bench).await;
    let before = bench.proxy.sent(kind.name());
    bench.proxy.inject(kind.name(), fault.clone(), times);
    let result = kind.call(&client(bench, consent)).await;
    let sent = bench.proxy.sent(kind.name()) - before;
    let executed = executed(bench, kind.name());
    let safe = consent == Consent::Idempotent || (consent == Consent::Default && kind.is_safe());
    // A script can make up the words of the server.
    let truth = match truth {
        Truth::Refused if kind == Kind::Eval => &Truth::Unknown,
        truth => truth,
    };
    let retried = *truth == Truth::Refused || (*truth == Truth::Unknown && safe);
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    check(sent <= RETRIES + 1, "more was sent than there are attempts");
    check(executed <= sent, "more was executed than sent");
    check(safe || executed <= 1, "executed twice without consent");
    check(
        effects(bench, kind).is_none_or(|effects| effects == executed),
        "effects and count differ",
    );
    check(result.is_err() || executed >= 1, "success without execution");
    let disposition = result.as_ref().err().map(Classify::disposition);
    check(
        disposition != Some(Disposition::NotExecuted) || executed == 0,
        "executed, but reported as not executed",
    );
    match (retried, times) {
        (true, ALWAYS) => {
            check(sent == RETRIES + 1, "not all retries were used");
            check(result.is_err(), "success through a fault that does not end");
        }
        (true, times) => {
            // Behind a reply that does not come another attempt may be on its way when the connection is left; it may
            // be the last.
            let stalls = matches!(fault, Fault::HoldReply | Fault::Delay(_));
            let is_used_up = stalls && times == RETRIES;
            check(result.is_ok() || is_used_up, "the retries did not help");
            let most = times + 1 + u32::from(stalls);
            check(
                (times + 1..=most).contains(&sent),
                "not one attempt more than there were faults",
            );
        }
        (false, _) if *truth == Truth::Fine => {
            check(result.is_ok() && sent == 1, "slow is not wrong");
        }
        (false, _) => {
            check(sent == 1, "sent again without being allowed to");
            check(result.is_err(), "success through a fault");
        }
    }
    let outcome = match disposition {
        None => "ok",
        Some(Disposition::NotExecuted) => "not executed",
        Some(Disposition::Unknown) => "unknown",
        Some(Disposition::Permanent) => "permanent",
    };
    let line = format!(
        "{kind:?} {fault:?} x{times} {consent:?}: {outcome}, sent {sent}, executed {executed}"
    );
    (wrong, line)
}

async fn all_faults(kind: Kind) -> String {
    let bench = bench().await;
    let mut failures = String::new();
    for fault in faults() {
        for times in [1, RETRIES, ALWAYS] {
            for consent in CONSENTS {
                let (wrong, line) = case(&bench, kind, &fault, times, consent).await;
                println!("{line}");
                if !wrong.is_empty() {
                    writeln!(failures, "{line}: {}", wrong.join("; ")).expect("text");
                }
            }
        }
    }
    failures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_on_every_class_of_command() {
    use Kind::{Eval, Get, Incr, Lpop, Lpush, Sadd, Set};
    assert_eq!(faults().len(), 28);
    let kinds =
        [Get, Set, Sadd, Incr, Lpush, Lpop, Eval].map(|kind| tokio::spawn(all_faults(kind)));
    let mut failures = String::new();
    for kind in kinds {
        failures += &kind.await.expect("no panic");
    }
    assert!(failures.is_empty(), "\n{failures}");
}
