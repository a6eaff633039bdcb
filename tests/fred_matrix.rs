//! Every fault, on every class of command, under every consent; what counts is what the server executed.
#![allow(missing_docs)]

use std::{fmt::Write as _, time::Duration};

use fred::prelude::*;
use retry_runtime::{
    Classify, Disposition, RetryPolicy,
    fred::{RetryClient, WithRetry},
};
use retry_tests::{Fault, FaultProxy, RedisServer};

const RETRIES: u32 = 3;
const ATTEMPT: Duration = Duration::from_millis(200);
const ALWAYS: u32 = u32::MAX;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    Default,
    Idempotent,
    AtMostOnce,
}

/// What an error of the server says, by redis.io and by what fred makes of it.
const REFUSED: [&str; 11] = [
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "BUSY Redis is busy running a script",
    "MASTERDOWN Link with MASTER is down",
    "NOREPLICAS Not enough good replicas to write",
    "MISCONF Redis is configured to save RDB snapshots",
    "OOM command not allowed when used memory > 'maxmemory'",
    "NOSCRIPT No matching script",
    "EXECABORT Transaction discarded",
    "MOVED 1 127.0.0.1:1",
    "ASK 1 127.0.0.1:1",
    "ERR max number of clients reached",
];
const DOUBTFUL: [&str; 4] = [
    "CLUSTERDOWN The cluster is down",
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "NOAUTH Authentication required.",
];
const FINAL: [&str; 6] = [
    "WRONGTYPE Operation against a key",
    "ERR syntax error",
    "NOPERM this user has no permissions",
    "WRONGPASS invalid username-password pair",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "BUSYKEY Target key name already exists.",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    /// The server did not execute the command, and the client can know it.
    Refused,
    /// The client cannot know.
    Unknown,
    /// The server did not execute the command and never will.
    Final,
    /// Only slow.
    Fine,
}

fn faults() -> Vec<(Fault, Truth)> {
    let errors = |texts: &[&str], truth| {
        texts
            .iter()
            .map(|text| (Fault::ErrorInstead((*text).to_owned()), truth))
            .collect::<Vec<_>>()
    };
    let transport = [
        (Fault::CutBefore, Truth::Unknown),
        (Fault::LoseReply, Truth::Unknown),
        (Fault::HalfReply, Truth::Unknown),
        (Fault::HoldReply, Truth::Unknown),
        (Fault::Delay(2 * ATTEMPT), Truth::Unknown),
        (Fault::Garble, Truth::Unknown),
        (Fault::Delay(ATTEMPT / 10), Truth::Fine),
    ];
    [
        transport.to_vec(),
        errors(&REFUSED, Truth::Refused),
        errors(&DOUBTFUL, Truth::Unknown),
        errors(&FINAL, Truth::Final),
    ]
    .concat()
}

struct Bench {
    server: RedisServer,
    proxy: FaultProxy,
    client: RetryClient,
}

impl Bench {
    async fn new() -> Self {
        let server = RedisServer::start(&[]);
        let proxy = FaultProxy::start(server.port()).await;
        let mut reconnect = ReconnectPolicy::new_constant(0, 5);
        reconnect.set_jitter(0);
        let fred = Builder::from_config(Config {
            server: ServerConfig::new_centralized("127.0.0.1", proxy.port()),
            ..Config::default()
        })
        .set_policy(reconnect)
        .with_connection_config(|connection| {
            connection.unresponsive.max_timeout = Some(ATTEMPT);
            connection.unresponsive.interval = Duration::from_millis(20);
        })
        .build()
        .expect("the configuration is complete");
        // Long enough for fred to reconnect, which ends the wait.
        let policy = RetryPolicy::constant(Duration::from_millis(40)).retries(RETRIES);
        let client = fred.with_retry(policy.attempt_timeout(ATTEMPT));
        client.init().await.expect("the server is up");
        Self { server, proxy, client }
    }

    /// Makes the keys anew, past the proxy, and forgets what was executed.
    async fn reset(&self) {
        self.proxy.clear();
        let patient = RetryPolicy::constant(Duration::from_millis(20)).retries(200);
        let patient = self.client.with_policy(patient.attempt_timeout(ATTEMPT));
        patient.ping::<()>(None).await.expect("a connection");
        for words in [
            &["FLUSHALL"][..],
            &["SET", "text", "a"],
            &["RPUSH", "list", "1", "2", "3", "4", "5"],
            &["CONFIG", "RESETSTAT"],
        ] {
            self.server.command(words);
        }
    }

    /// Returns how often the server executed a command, by its own count.
    fn executed(&self, name: &str) -> u32 {
        let statistics = self.server.command(&["INFO", "commandstats"]);
        let begin = format!("cmdstat_{}:calls=", name.to_lowercase());
        let line = statistics.lines().find_map(|line| line.strip_prefix(begin.as_str()));
        line.map_or(0, |line| line.split(',').next().expect("a number").parse().expect("a number"))
    }

    /// Returns how often a write took effect, by what it left.
    fn effects(&self, kind: Kind) -> Option<u32> {
        let number = |words: &[&str]| {
            let answer = self.server.command(words);
            answer.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
        };
        match kind {
            Kind::Incr | Kind::Eval => {
                let answer = self.server.command(&["GET", "counter"]);
                Some(answer.split("\r\n").nth(1).and_then(|text| text.parse().ok()).unwrap_or(0))
            }
            Kind::Lpush => Some(number(&["LLEN", "list"]) - 5),
            Kind::Lpop => Some(5 - number(&["LLEN", "list"])),
            Kind::Get | Kind::Set | Kind::Sadd => None,
        }
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
    bench.reset().await;
    let before = bench.proxy.sent(kind.name());
    bench.proxy.inject(kind.name(), fault.clone(), times);
    let client = match consent {
        Consent::Default => bench.client.clone(),
        Consent::Idempotent => bench.client.idempotent(),
        Consent::AtMostOnce => bench.client.at_most_once(),
    };
    let result = kind.call(&client).await;
    let sent = bench.proxy.sent(kind.name()) - before;
    let executed = bench.executed(kind.name());
    let safe = consent == Consent::Idempotent || (consent == Consent::Default && kind.is_safe());
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
        bench.effects(kind).is_none_or(|effects| effects == executed),
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
            check(result.is_ok(), "the retries did not help");
            check(sent == times + 1, "not one attempt more than there were faults");
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

async fn all_faults(kind: Kind) {
    let bench = Bench::new().await;
    let mut failures = String::new();
    let mut cases = 0;
    for fault in faults() {
        for times in [1, RETRIES, ALWAYS] {
            for consent in [Consent::Default, Consent::Idempotent, Consent::AtMostOnce] {
                let (wrong, line) = case(&bench, kind, &fault, times, consent).await;
                println!("{line}");
                cases += 1;
                if !wrong.is_empty() {
                    writeln!(failures, "{line}: {}", wrong.join("; ")).expect("text");
                }
            }
        }
    }
    assert_eq!(cases, 28 * 9);
    assert!(failures.is_empty(), "\n{failures}");
}

macro_rules! matrix {
    ($($test:ident: $kind:ident,)*) => {$(
        #[tokio::test]
        async fn $test() {
            all_faults(Kind::$kind).await;
        }
    )*};
}

matrix! {
    a_read: Get,
    an_idempotent_write: Set,
    a_write_whose_answer_changes: Sadd,
    a_count: Incr,
    a_push: Lpush,
    a_pop: Lpop,
    a_script: Eval,
}
