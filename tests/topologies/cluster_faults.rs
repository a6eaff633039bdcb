//! A cluster that changes under load: a primary dies, slots move, a slot has no owner.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use fred::{
    prelude::*,
    types::{ClusterHash, config::Options},
    util::redis_keyslot,
};
use retry_runtime::{
    Classify, Disposition, ErrorClass, Exponential, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::{Load, RedisCluster};

/// Enough retries to last through a failover.
const POLICY: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .base_delay(Duration::from_millis(20))
    .max_delay(Duration::from_millis(200))
    .retries(300)
    .attempt_timeout(Duration::from_secs(1));

const KEYS: u64 = 30;

/// A key of any slot.
fn any(number: u64) -> String {
    format!("key:{}", number % KEYS)
}

/// A key of the slot that moves.
fn moving(number: u64) -> String {
    format!("{{moving}}{}", number % KEYS)
}

async fn start(node_timeout: Duration) -> (RedisCluster, RetryClient) {
    let cluster = RedisCluster::start(node_timeout);
    let client = RetryClient::connect(cluster.config(), POLICY).await.expect("the cluster is up");
    (cluster, client)
}

/// Connects a client with the settings of fred.
async fn wrap(cluster: &RedisCluster) -> RetryClient {
    let mut builder = Builder::from_config(cluster.config());
    builder.set_policy(ReconnectPolicy::new_constant(0, 50));
    let client = builder.build().expect("complete").with_retry(POLICY);
    client.init().await.expect("the cluster is up");
    client
}

fn counts(client: &RetryClient, key: fn(u64) -> String) -> Load {
    let client = client.clone();
    Load::start(6, move |number| {
        let client = client.clone();
        async move { client.incr(key(number)).await }
    })
}

fn total(cluster: &RedisCluster, key: fn(u64) -> String) -> u64 {
    (0..KEYS).map(|number| cluster.counter(&key(number))).sum()
}

/// The replica may not have got what the primary acknowledged last, so that may be lost, but nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_is_replaced_and_no_write_is_executed_twice() {
    let (mut cluster, client) = start(Duration::from_secs(1)).await;
    let pushing = client.clone();
    let load = Load::start(6, move |number| {
        let client = pushing.clone();
        async move { client.rpush(any(number), number).await }
    });
    load.answers(200).await;
    cluster.node_mut(1).kill();
    let begin = Instant::now();
    cluster.wait("the replica takes over", || {
        cluster.node(4).text(&["INFO", "replication"]).contains("role:master")
    });
    println!("failover after {:?}", begin.elapsed());
    let of_the_killed = { 0..KEYS }.find(|number| cluster.first_owner(&any(*number)) == 1);
    client.llen::<u64, _>(any(of_the_killed.expect("one of 30"))).await.expect("by the replica");
    load.answers(200).await;
    let tally = load.stop().await;
    let lists = (0..KEYS).flat_map(|number| cluster.values(&["LRANGE", &any(number), "0", "-1"]));
    let lists = lists.map(|text| text.parse().expect("a number")).collect::<Vec<u64>>();
    tally.report("killed primary", lists.len());
    let different = lists.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(different.len(), lists.len(), "a value is there twice");
    let mut lost = tally.acknowledged.difference(&different);
    assert!(lost.all(|number| cluster.first_owner(&any(*number)) == 1), "lost by who lives");
    assert!(tally.refused.is_empty(), "{tally:?}");
}

/// Keys that have moved are answered with `ASK` until the slot has; then with `MOVED` once.
/// Both say that nothing was executed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_moves_and_every_counter_keeps_its_exact_value() {
    let (cluster, client) = start(Duration::from_secs(5)).await;
    let from = cluster.first_owner("{moving}");
    let to = (from + 1) % 3;
    let (moves, stays) = (counts(&client, moving), counts(&client, any));
    tokio::join!(moves.answers(100), stays.answers(100));
    cluster.begin_move("{moving}", from, to);
    cluster.move_keys("{moving}", from, to);
    while cluster.node(from).refused("ASK") < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stays.answers(100).await;
    cluster.end_move("{moving}", to);
    tokio::join!(moves.answers(100), stays.answers(100));
    let (moves, stays) = tokio::join!(moves.stop(), stays.stop());
    moves.check_counter("slot that moves", total(&cluster, moving));
    stays.check_counter("slots that stay", total(&cluster, any));
    for tally in [moves, stays] {
        assert!(tally.unknown.is_empty() && tally.refused.is_empty(), "{tally:?}");
    }
}

/// One node redirects its part of a pipeline, and the others execute theirs.
#[tokio::test]
async fn a_pipeline_that_is_redirected_in_part_is_executed_once() {
    let (cluster, client) = start(Duration::from_secs(5)).await;
    client.incr::<(), _>("{moving}").await.expect("the cluster is up");
    let from = cluster.first_owner("{moving}");
    let to = (from + 1) % 3;
    cluster.begin_move("{moving}", from, to);
    cluster.move_keys("{moving}", from, to);
    cluster.end_move("{moving}", to);
    let keys = (0..20).map(|number| format!("key:{number}")).collect::<Vec<_>>();
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("{moving}").await.expect("queued");
    for key in &keys {
        pipeline.incr::<(), _>(key).await.expect("queued");
    }
    let error = pipeline.all::<Vec<u64>>().await.expect_err("redirected in part");
    assert_eq!(error.disposition(), Disposition::Unknown, "{error}");
    for key in &keys {
        assert_eq!(client.get::<u64, _>(key).await, Ok(1), "{key}");
    }
    assert_eq!(client.get::<u64, _>("{moving}").await, Ok(1));
}

#[tokio::test]
async fn after_a_move_pipelines_and_transactions_find_the_new_owner() {
    let (cluster, client) = start(Duration::from_secs(5)).await;
    let slot = ClusterHash::Custom(redis_keyslot(b"moving"));
    let options = Options { cluster_hash: Some(slot), ..Options::default() };
    let mut owner = cluster.first_owner("{moving}");
    let mut move_on = || {
        let next = (owner + 1) % 3;
        cluster.begin_move("{moving}", owner, next);
        cluster.move_keys("{moving}", owner, next);
        cluster.end_move("{moving}", next);
        owner = next;
    };
    client.incr::<(), _>("{moving}a").await.expect("the cluster is up");
    move_on();
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("{moving}a").await.expect("queued");
    pipeline.incr::<(), _>("{moving}b").await.expect("queued");
    assert_eq!(pipeline.all::<(u64, u64)>().await, Ok((2, 1)));
    move_on();
    let multi = client.with_options(&options).multi();
    multi.incr::<(), _>("{moving}a").await.expect("queued");
    multi.incr::<(), _>("{moving}b").await.expect("queued");
    assert_eq!(multi.exec::<(u64, u64)>(true).await, Ok((3, 2)));
    move_on();
    let set = client.transaction("{moving}a", |watched, multi| async move {
        let counter: u64 = watched.get("{moving}a").await?;
        multi.set::<(), _, _>("{moving}a", counter + 1, None, None, false).await
    });
    assert_eq!(set.await, Ok(("OK".to_owned(),)));
    assert_eq!((cluster.counter("{moving}a"), cluster.counter("{moving}b")), (4, 2));
}

/// fred counts the redirect as the one attempt, and says what it also says of writes that were executed.
#[tokio::test]
async fn a_wrapped_client_finds_the_new_owner_with_the_next_call() {
    let cluster = RedisCluster::start(Duration::from_secs(5));
    let client = wrap(&cluster).await;
    client.incr::<(), _>("{moving}").await.expect("the cluster is up");
    let from = cluster.first_owner("{moving}");
    let to = (from + 1) % 3;
    cluster.begin_move("{moving}", from, to);
    cluster.move_keys("{moving}", from, to);
    cluster.end_move("{moving}", to);
    let error = client.incr::<u64, _>("{moving}").await.expect_err("to the old owner");
    assert_eq!(error.disposition(), Disposition::Unknown, "{error:?}");
    assert_eq!(client.incr::<u64, _>("{moving}").await, Ok(2));
}

/// A client that fred lets follow redirects loses fred's task with every `ASK`; it is made anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrapped_client_survives_what_ends_freds_task() {
    let cluster = RedisCluster::start(Duration::from_secs(5));
    let client = wrap(&cluster).await;
    let from = cluster.first_owner("{moving}");
    let to = (from + 1) % 3;
    let load = counts(&client, moving);
    load.answers(100).await;
    cluster.begin_move("{moving}", from, to);
    cluster.move_keys("{moving}", from, to);
    while cluster.node(from).refused("ASK") < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.end_move("{moving}", to);
    load.answers(100).await;
    let tally = load.stop().await;
    tally.check_counter("wrapped client, slot that moves", total(&cluster, moving));
    assert!(tally.refused.is_empty(), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_without_an_owner_leaves_writes_in_doubt() {
    let (cluster, client) = start(Duration::from_secs(5)).await;
    let slot = redis_keyslot(b"key").to_string();
    let owner = cluster.first_owner("key");
    client.incr::<(), _>("key").await.expect("the cluster is up");
    for node in 0..3 {
        cluster.ok(node, &["CLUSTER", "DELSLOTS", &slot]);
    }
    let error = client.incr::<u64, _>("key").await.expect_err("nobody serves the slot");
    assert!(ErrorClass::CLUSTER_DOWN.matches(&error), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Unknown);
    // Until fred says that the connection is lost, a command may still be handed to it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    // What follows is not sent before there is a cluster again.
    let read = tokio::spawn({
        let client = client.clone();
        async move { client.get::<u64, _>("key").await }
    });
    let write = tokio::spawn(async move { client.incr::<u64, _>("key").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!read.is_finished() && !write.is_finished(), "both wait for an owner");
    cluster.ok(owner, &["CLUSTER", "ADDSLOTS", &slot]);
    let read = read.await.expect("no panic").expect("answered");
    assert!(matches!(read, 1 | 2), "{read}");
    assert_eq!(write.await.expect("no panic"), Ok(2));
}

/// Returns the key of a slot whose owner fred asks first for all owners: that with the lowest port.
fn of_the_first_asked(cluster: &RedisCluster) -> (usize, String) {
    let first = (0..3).min_by_key(|node| cluster.node(*node).port()).expect("three nodes");
    let key = (0..KEYS).map(any).find(|key| cluster.first_owner(key) == first);
    (first, key.expect("one of 30"))
}

async fn count(client: &RetryClient, key: &str) -> FredResult<()> {
    let counted = client.transaction(key, |watched, multi| async move {
        let counter: Option<u64> = watched.get(key).await?;
        let next = counter.unwrap_or(0) + 1;
        multi.set::<(), _, _>(key, next, None, None, false).await
    });
    counted.await.map(|(_,): (String,)| ())
}

/// Nothing but transactions is sent, so nothing else finds out that the primary hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_find_the_replica_that_replaced_a_frozen_primary() {
    let (cluster, client) = start(Duration::from_secs(1)).await;
    let (frozen, key) = of_the_first_asked(&cluster);
    let other = { 0..KEYS }.map(any).find(|key| cluster.first_owner(key) != frozen);
    count(&client, &key).await.expect("the cluster is up");
    let replica = cluster.node(frozen + 3);
    cluster.wait("the replica has the key", || replica.number(&["DBSIZE"]) == 1);
    let has_taken_over = || replica.text(&["INFO", "replication"]).contains("role:master");
    cluster.node(frozen).pause();
    let waiting = tokio::spawn({
        let (client, key) = (client.clone(), key.clone());
        async move { count(&client, &key).await }
    });
    // No round on another node waits for the one that hangs.
    count(&client, &other.expect("one of 30")).await.expect("its node is well");
    assert!(!has_taken_over(), "waited for the replica");
    cluster.wait("the replica takes over", has_taken_over);
    let begin = Instant::now();
    waiting.await.expect("no panic").expect("by the replica");
    println!("found after {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(replica.values(&["GET", &key]), ["2"]);
    cluster.node(frozen).resume();
}

/// The node that hangs is the first that fred asks for the owners, so everything waits whenever fred connects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_replaced_holds_up_nobody_while_it_is_frozen() {
    let (cluster, client) = start(Duration::from_secs(1)).await;
    let client = client.with_policy(POLICY.attempt_timeout(Duration::from_millis(250)));
    let (frozen, _) = of_the_first_asked(&cluster);
    let counting = counts(&client, any);
    let transactions = Load::start(4, {
        let client = client.clone();
        move |number| {
            let client = client.clone();
            async move { count(&client, &format!("t:{}", number % KEYS)).await }
        }
    });
    tokio::join!(counting.answers(200), transactions.answers(50));
    cluster.node(frozen).pause();
    cluster.wait("the replica takes over", || {
        cluster.node(frozen + 3).text(&["INFO", "replication"]).contains("role:master")
    });
    // fred gives the node two seconds once, when the cluster is down as a whole.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        for key in (0..KEYS).map(any) {
            let call = Instant::now();
            client.incr::<(), _>(&key).await.expect("all nodes are well");
            assert!(call.elapsed() < Duration::from_secs(1), "{:?} {key}", call.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for load in [counting, transactions] {
        let tally = load.stop().await;
        assert!(tally.refused.is_empty(), "{tally:?}");
    }
    cluster.node(frozen).resume();
}
