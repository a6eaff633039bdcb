//! Reads from the replicas of a cluster.

use std::time::{Duration, Instant};

use fred::prelude::*;
use retry_runtime::{
    Constant, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::RedisCluster;

const POLICY: RetryPolicy<Constant, ByDisposition, Timed> =
    RetryPolicy::constant(Duration::from_millis(20))
        .retries(50)
        .attempt_timeout(Duration::from_secs(1));

/// Keys that all three primaries share.
fn keys() -> impl Iterator<Item = String> {
    (0..30).map(|number| format!("key:{number}"))
}

/// Returns how often each node executed `GET`.
fn reads(cluster: &RedisCluster, nodes: std::ops::Range<usize>) -> Vec<u64> {
    nodes.map(|node| cluster.node(node).executed("get")).collect()
}

/// fred that connects to replicas only when it reads tries a dead one for ever, and does nothing else meanwhile;
/// fred that connects at once reads from the primary then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_to_replicas_and_to_the_primary_of_one_that_died() {
    let mut cluster = RedisCluster::start(Duration::from_secs(5));
    cluster.wait_until_replicas_are_told();
    let mut builder = Builder::from_config(cluster.config());
    builder.with_connection_config(|connection| connection.replica.lazy_connections = false);
    let client = RetryClient::connect_with(builder, POLICY).await.expect("the cluster is up");
    let replicas = client.fred().replicas().with_retry(POLICY);
    for key in keys() {
        client.set::<(), _, _>(&key, "a", None, None, false).await.expect("written");
        // Replication takes its moment.
        while replicas.get::<Option<String>, _>(&key).await.expect("read").is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(reads(&cluster, 0..3), [0, 0, 0]);
    assert!(reads(&cluster, 3..6).iter().all(|count| *count > 0));

    cluster.node_mut(4).kill();
    let begin = Instant::now();
    for key in keys() {
        assert_eq!(replicas.get::<String, _>(&key).await, Ok("a".to_owned()), "{key}");
        client.incr::<(), _>(format!("{key}:reads")).await.expect("the primaries go on");
    }
    println!("{:?} for all keys after the death of a replica", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let of_the_dead = { keys() }.filter(|key| cluster.first_owner(key) == 1).count() as u64;
    assert_eq!(reads(&cluster, 1..2), [of_the_dead]);
}
