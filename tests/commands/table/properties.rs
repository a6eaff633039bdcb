//! What a repeat does, whatever the data and the arguments: random commands on random keyspaces, once and twice.

use std::collections::BTreeSet;

use fred::{
    prelude::*,
    types::{ClusterHash, CustomCommand},
};
use retry_runtime::{
    Never,
    fred::{
        COMMANDS,
        Replay::{self, Idempotent, Read, SameState},
        RetryClient,
    },
};
use retry_tests::RedisServer;

use super::{
    cases::{
        ANSWERS_VARY, Case, GEO, HASHES, KEYS, LISTS, LOGS, PAYLOAD, SETS, SORTED_SETS, STREAMS,
        STRINGS, TOGETHER,
    },
    draw::{Draw, STATE},
    replays::{DUMP, client},
};

/// How many states, each with arguments of its own, a command is checked on.
const STATES: usize = 250;

/// After so many draws there are that many whose class promises something.
const DRAWS: u64 = 5_000;

struct Repeats {
    server: RedisServer,
    client: RetryClient,
    /// The hashes of the scripts that fill and that print.
    state: String,
    dump: String,
}

/// A command on a state, once and twice.
struct Round {
    before: FredResult<Value>,
    first: FredResult<Value>,
    once: FredResult<Value>,
    second: FredResult<Value>,
    twice: FredResult<Value>,
}

impl Repeats {
    async fn new() -> Self {
        // Small nodes, so that few entries fill several, and both forms of a sorted set.
        let server = RedisServer::start(&[
            "--stream-node-max-entries",
            "2",
            "--zset-max-listpack-entries",
            "4",
            "--slowlog-log-slower-than",
            "0",
        ]);
        let client = client(server.port()).await.with_policy(Never);
        let load = |script| {
            let reply = server.command(&["SCRIPT", "LOAD", script]);
            reply.lines().nth(1).expect("a hash").to_owned()
        };
        let (state, dump) = (load(&format!("{STATE}{DUMP}")), load(DUMP));
        let _: i64 = client.rpush("list", "a").await.expect("the server is up");
        let payload = client.dump("list").await.expect("the server is up");
        PAYLOAD.get_or_init(|| payload);
        Self { server, client, state, dump }
    }

    /// Checks every case; `kind` is what most of the keys are.
    async fn check(&self, kind: &str, cases: &[Case]) {
        for (number, case) in (0_u64..).zip(cases) {
            let mut checked = 0;
            let mut answered = false;
            for seed in (0..DRAWS).map(|draw| number * DRAWS + draw) {
                let Some(class) = self.class(case, seed).await else { continue };
                let round = self.round(case, seed, kind).await;
                if let Some(problem) = round.problem(class, case.method) {
                    let command = self.words(case, seed).await;
                    panic!(
                        "{} ({class}, seed {seed}, {kind}) {problem}:\n{round}\n{command}",
                        case.method
                    );
                }
                answered |= round.first.is_ok();
                checked += 1;
                if checked == STATES {
                    break;
                }
            }
            assert_eq!(checked, STATES, "{}: too few are of a class that promises", case.method);
            assert!(answered, "{}: all arguments are refused", case.method);
        }
    }

    /// Returns the class of what is drawn, if it promises something.
    async fn class(&self, case: &Case, seed: u64) -> Option<Replay> {
        let single = self.client.pipeline();
        let queued = (case.put)(&single, &mut Draw::new(seed)).await;
        queued.ok().map(|_| single.replay()).filter(|class| *class <= SameState)
    }

    async fn round(&self, case: &Case, seed: u64, kind: &str) -> Round {
        let pipeline = self.client.pipeline();
        let script = |words: &[&str]| {
            let command = CustomCommand::new_static("EVALSHA", ClusterHash::Random, false);
            let words = words.iter().map(|word| Value::from((*word).to_owned()));
            pipeline.custom::<Value, _>(command, words.collect())
        };
        script(&[&self.state, "0", &seed.to_string(), kind]).await.expect("queued");
        for _ in 0..2 {
            (case.put)(&pipeline, &mut Draw::new(seed)).await.expect("queued before");
            script(&[&self.dump, "0"]).await.expect("queued");
        }
        let results = <[_; 5]>::try_from(pipeline.try_all().await).expect("five results");
        let [before, first, once, second, twice] = results;
        Round { before, first, once, second, twice }
    }

    /// Asks the server what it got.
    async fn words(&self, case: &Case, seed: u64) -> String {
        let single = self.client.pipeline();
        let _ = (case.put)(&single, &mut Draw::new(seed)).await;
        let _: FredResult<Value> = single.last().await;
        self.server.command(&["SLOWLOG", "GET", "1"]).replace("\r\n", " ")
    }
}

impl Round {
    fn problem(&self, class: Replay, method: &str) -> Option<&'static str> {
        let states = [&self.before, &self.once, &self.twice];
        match class {
            _ if states.iter().any(|state| state.is_err()) => Some("cannot be checked"),
            _ if self.once != self.twice => Some("changes the data again"),
            Read if self.before != self.once => Some("is no read"),
            Read | Idempotent if self.first != self.second && !ANSWERS_VARY.contains(&method) => {
                Some("answers otherwise")
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { before, first, once, second, twice } = self;
        writeln!(formatter, "before {before:?}\nfirst  {first:?}\nonce   {once:?}")?;
        write!(formatter, "second {second:?}\ntwice  {twice:?}")
    }
}

#[tokio::test]
async fn strings() {
    Repeats::new().await.check("string", STRINGS).await;
}

#[tokio::test]
async fn keys() {
    Repeats::new().await.check("any", KEYS).await;
}

#[tokio::test]
async fn lists() {
    Repeats::new().await.check("list", LISTS).await;
}

#[tokio::test]
async fn sets() {
    Repeats::new().await.check("set", SETS).await;
}

#[tokio::test]
async fn sorted_sets() {
    let repeats = Repeats::new().await;
    repeats.check("zset", SORTED_SETS).await;
    repeats.check("zset", TOGETHER).await;
}

#[tokio::test]
async fn hashes() {
    Repeats::new().await.check("hash", HASHES).await;
}

#[tokio::test]
async fn logs() {
    Repeats::new().await.check("log", LOGS).await;
}

#[tokio::test]
async fn geo() {
    Repeats::new().await.check("geo", GEO).await;
}

#[tokio::test]
async fn streams() {
    Repeats::new().await.check("stream", STREAMS).await;
}

#[test]
fn every_safe_command_of_data_is_drawn() {
    let interfaces = [
        "GeoInterface",
        "HashesInterface",
        "HyperloglogInterface",
        "KeysInterface",
        "ListInterface",
        "SetsInterface",
        "SortedSetsInterface",
        "StreamsInterface",
    ];
    let cases = [STRINGS, KEYS, LISTS, SETS, SORTED_SETS, TOGETHER, HASHES, LOGS, GEO, STREAMS];
    let drawn: BTreeSet<_> = cases.iter().copied().flatten().map(|case| case.method).collect();
    let lines = COMMANDS.iter().copied().flatten();
    let missing = lines
        .filter(|line| interfaces.contains(&line.interface) && line.replay != "NotIdempotent")
        .map(|line| line.method)
        .filter(|method| !drawn.contains(method))
        // Made of the same commands.
        .filter(|method| !method.ends_with("_map") && !method.ends_with("_values"))
        // The times to live of fields came with Redis 7.4.
        .filter(|method| !method.starts_with("hexpire") && !method.starts_with("hpe"))
        .filter(|method| !matches!(*method, "httl" | "hpttl"));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
}
