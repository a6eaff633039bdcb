//! One server with its faults, under load: no acknowledged write is lost, and none is executed twice.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use retry_runtime::{
    Classify, Disposition, ErrorClass, Exponential, RetryPolicy,
    fred::RetryClient,
    policy::{ByDisposition, Timed},
};
use retry_tests::{Load, RedisServer, Tally, redis};

const TASKS: usize = 4;

/// Enough retries to last through every fault here.
const POLICY: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .base_delay(Duration::from_millis(20))
    .max_delay(Duration::from_millis(200))
    .retries(200)
    .attempt_timeout(Duration::from_millis(500));

/// Waits for a server that comes back, so that only what was on its way is in doubt.
const PATIENT: RetryPolicy<Exponential, ByDisposition, Timed> =
    POLICY.attempt_timeout(Duration::from_secs(20));

async fn connect(
    server: &RedisServer,
    policy: RetryPolicy<Exponential, ByDisposition, Timed>,
) -> RetryClient {
    RetryClient::connect(redis(server.port()), policy).await.expect("the server is up")
}

/// Counts, and pushes the number of each call.
struct Writes {
    counts: Load,
    pushes: Load,
}

impl Writes {
    fn start(client: &RetryClient) -> Self {
        let (counting, pushing) = (client.clone(), client.clone());
        let counts = Load::start(TASKS, move |_| {
            let client = counting.clone();
            async move { client.incr("counter").await }
        });
        let pushes = Load::start(TASKS, move |number| {
            let client = pushing.clone();
            async move { client.rpush("list", number).await }
        });
        Self { counts, pushes }
    }

    async fn answers(&self, more: usize) {
        tokio::join!(self.counts.answers(more), self.pushes.answers(more));
    }

    /// Ends the writes and checks what the server holds; returns what became of the calls.
    async fn check(self, scenario: &str, server: &RedisServer) -> (Tally, Tally) {
        let (counts, pushes) = tokio::join!(self.counts.stop(), self.pushes.stop());
        counts.check_counter(scenario, server.number(&["GET", "counter"]));
        pushes.check_list(scenario, &server.values(&["LRANGE", "list", "0", "-1"]));
        (counts, pushes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_keeps_every_acknowledged_write() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client = connect(&server, PATIENT).await;
    let writes = Writes::start(&client);
    for _ in 0..3 {
        writes.answers(100).await;
        server.kill();
        server.restart();
    }
    writes.answers(100).await;
    let (counts, pushes) = writes.check("crash", &server).await;
    for tally in [counts, pushes] {
        assert!(tally.unknown.len() <= 3 * TASKS, "{tally:?}");
        assert!(tally.refused.is_empty(), "{tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_executes_late_what_it_got_and_that_once() {
    let server = RedisServer::start(&[]);
    let client = connect(&server, POLICY).await;
    let writes = Writes::start(&client);
    for _ in 0..2 {
        writes.answers(100).await;
        server.pause();
        tokio::join!(writes.counts.doubts(TASKS), writes.pushes.doubts(TASKS));
        server.resume();
    }
    writes.answers(100).await;
    let (counts, pushes) = writes.check("hang", &server).await;
    assert!(counts.refused.is_empty() && pushes.refused.is_empty());
    assert!(counts.texts.iter().all(|text| text.starts_with("Timeout Error")), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_lose_no_write_and_double_none() {
    let server = RedisServer::start(&[]);
    let client = connect(&server, PATIENT).await;
    let writes = Writes::start(&client);
    for _ in 0..10 {
        writes.answers(20).await;
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
    writes.answers(20).await;
    let (counts, pushes) = writes.check("killed connections", &server).await;
    for tally in [counts, pushes] {
        assert!(tally.unknown.len() <= 10 * TASKS, "{tally:?}");
        assert!(tally.refused.is_empty(), "{tally:?}");
    }
}

/// The server holds writes back and executes them later; reads go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_writes_are_executed_once_and_reads_go_on() {
    let server = RedisServer::start(&[]);
    let client = connect(&server, POLICY).await;
    client.set::<(), _, _>("text", "a", None, None, false).await.expect("the server is up");
    let writes = Writes::start(&client);
    writes.answers(50).await;
    server.command(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let reading = connect(&server, POLICY).await;
    for _ in 0..50 {
        assert_eq!(reading.get::<String, _>("text").await, Ok("a".to_owned()));
    }
    tokio::join!(writes.counts.doubts(TASKS), writes.pushes.doubts(TASKS));
    server.command(&["CLIENT", "UNPAUSE"]);
    writes.answers(50).await;
    writes.check("paused writes", &server).await;
}

/// The refusal says that nothing was executed, so every write passes in the end, and nothing is in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_memory_delays_writes_until_there_is_room() {
    let server = RedisServer::start(&[]);
    let client = connect(&server, PATIENT).await;
    let writes = Writes::start(&client);
    writes.answers(50).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    while server.refused("OOM") < 10 * TASKS as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    writes.answers(50).await;
    let (counts, pushes) = writes.check("full memory", &server).await;
    for tally in [counts, pushes] {
        assert!(tally.unknown.is_empty() && tally.refused.is_empty(), "{tally:?}");
    }
}

/// fred can put `READONLY` on commands that were executed, so it is in doubt: who may be repeated waits it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_primary_refuses_writes_until_it_is_promoted() {
    let server = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    let other = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    let client = connect(&server, POLICY).await;
    let writes = Writes::start(&client);
    writes.answers(50).await;
    other.command(&["REPLICAOF", "127.0.0.1", &server.port().to_string()]);
    server.command(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    while other.command(&["GET", "counter"]) != server.command(&["GET", "counter"]) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    other.command(&["REPLICAOF", "NO", "ONE"]);
    server.command(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    server.command(&["CLIENT", "UNPAUSE"]);
    let set = tokio::spawn({
        let client = client.clone();
        async move { client.set::<(), _, _>("text", "a", None, None, false).await }
    });
    while server.refused("READONLY") < 10 * TASKS as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error = client.incr::<i64, _>("other").await.expect_err("refused by a replica");
    assert!(ErrorClass::READ_ONLY.matches(&error), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Unknown);
    assert!(!set.is_finished(), "an idempotent write waits for the promotion");
    server.command(&["REPLICAOF", "NO", "ONE"]);
    set.await.expect("no panic").expect("written after the promotion");
    writes.answers(50).await;
    writes.check("demotion", &server).await;
    assert_eq!(server.number(&["GET", "other"]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_element_is_popped_for_two() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client = connect(&server, PATIENT).await;
    let (pushing, popping) = (client.clone(), client.clone());
    let pushes = Load::start(TASKS, move |number| {
        let client = pushing.clone();
        async move { client.rpush("list", number).await }
    });
    let popped = Arc::<Mutex<Vec<u64>>>::default();
    let keep = Arc::clone(&popped);
    let pops = Load::start(TASKS, move |_| {
        let (client, keep) = (popping.clone(), Arc::clone(&keep));
        async move {
            let number: Option<u64> = client.lpop("list", None).await?;
            keep.lock().expect("no panic").extend(number);
            Ok(())
        }
    });
    for _ in 0..3 {
        tokio::join!(pushes.answers(50), pops.answers(50));
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        tokio::join!(pushes.answers(50), pops.answers(50));
        server.kill();
        server.restart();
    }
    let (pushes, pops) = tokio::join!(pushes.stop(), pops.stop());
    let mut found = popped.lock().expect("no panic").clone();
    let left = server.values(&["LRANGE", "list", "0", "-1"]);
    found.extend(left.iter().map(|text| text.parse::<u64>().expect("a number")));
    let different = found.iter().copied().collect::<BTreeSet<_>>();
    let lost = pushes.acknowledged.difference(&different).count();
    pushes.report("pops: pushed", found.len());
    pops.report("pops: popped", format!("{} (left {}, lost {lost})", found.len(), left.len()));
    assert_eq!(found.len(), different.len(), "an element was popped for two");
    assert!(lost <= pops.unknown.len(), "more elements are lost than replies");
    assert!(pushes.refused.is_empty() && pops.refused.is_empty());
}
