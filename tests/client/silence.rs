//! Connections that are gone without a word: nothing ends them, nothing is answered.
//!
//! fred measures silence from the last command that it wrote, and every call writes one.

use std::time::{Duration, Instant};

use fred::{clients::SubscriberClient, prelude::*, types::RespVersion};
use retry_runtime::{
    Exponential, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::{RedisCluster, RedisSentinel, RedisServer, Relay, redis};

const LIMIT: Duration = Duration::from_millis(300);

const POLICY: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .base_delay(Duration::from_millis(10))
    .max_delay(Duration::from_millis(50))
    .retries(3)
    .attempt_timeout(LIMIT);

/// Two attempts, the first delay of the reconnect policy, and what a busy machine takes.
const BOUND: Duration = Duration::from_millis(2 * 300 + 200 + 500);

/// Reads again and again until one read succeeds.
async fn time_until_a_read(client: &RetryClient, every: Duration) -> Duration {
    let begin = Instant::now();
    while client.get::<Option<String>, _>("key").await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "never");
        tokio::time::sleep(every).await;
    }
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_connection_is_left_under_traffic() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    client.get::<(), _>("key").await.expect("connected");
    let traffic = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                let _ = client.get::<(), _>("key").await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    });
    let traffic = traffic.collect::<Vec<_>>();
    relay.forget();
    let back = time_until_a_read(&client, Duration::from_millis(20)).await;
    assert!(back < BOUND, "{back:?}");
    assert_eq!(relay.accepted(), 2);
    traffic.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_forgotten_connection_is_left_by_one_call() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    relay.forget();
    let begin = Instant::now();
    client.get::<(), _>("key").await.expect("one of the attempts is on a new connection");
    assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());
}

/// fred's task is the user's, so fred is asked to connect again.
#[tokio::test]
async fn a_client_that_was_connected_before_it_was_wrapped_leaves_it_too() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let mut builder = Builder::from_config(redis(relay.port()));
    builder.set_policy(ReconnectPolicy::new_constant(0, 100));
    let fred = builder.build().expect("complete");
    fred.init().await.expect("the server is up");
    let client = fred.with_retry(POLICY);
    client.get::<(), _>("key").await.expect("connected");
    relay.forget();
    let back = time_until_a_read(&client, Duration::from_millis(20)).await;
    assert!(back < BOUND, "{back:?}");
    assert_eq!(relay.accepted(), 2);
}

/// The router of fred stands still while it writes to a connection that takes nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_connection_that_is_full_is_left() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    relay.forget();
    server.pause();
    let large = (0..8).map(|number| {
        let client = client.clone();
        let value = "x".repeat(4 * 1024 * 1024);
        tokio::spawn(async move {
            client.set::<(), _, _>(number.to_string(), value, None, None, false).await
        })
    });
    let large = large.collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.resume();
    let back = time_until_a_read(&client, Duration::from_millis(20)).await;
    assert!(back < BOUND + Duration::from_secs(1), "{back:?}");
    for set in large {
        let _ = set.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_member_of_a_pool_leaves_a_forgotten_connection() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let mut builder = Builder::from_config(redis(relay.port()));
    builder.set_policy(ReconnectPolicy::new_constant(0, 100));
    let client = builder.build_pool(4).expect("complete").with_retry(POLICY);
    client.init().await.expect("the server is up");
    relay.forget();
    // All but one are made again by hand.
    for member in client.fred().clients().iter().skip(1) {
        let _ = tokio::time::timeout(LIMIT, member.force_reconnection()).await;
    }
    let before = relay.accepted();
    let begin = Instant::now();
    let mut last = Duration::ZERO;
    while begin.elapsed() < Duration::from_secs(3) {
        if client.incr::<u64, _>("counter").await.is_err() {
            last = begin.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(last < BOUND, "the last failure is {last:?} after the silence began");
    assert_eq!(relay.accepted(), before + 1);
}

/// A server that is slow, and answers in the end, keeps its connections.
#[tokio::test]
async fn a_reply_that_is_still_arriving_is_not_silence() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    let size = 6 * 1024 * 1024;
    server.command(&["SETRANGE", "large", &(size - 1).to_string(), "x"]);
    relay.limit(2 * 1024 * 1024);
    let patient = client
        .with_options(&Options { timeout: Some(Duration::from_secs(20)), ..Options::default() });
    let large = tokio::spawn(async move { patient.get::<Vec<u8>, _>("large").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Behind it nothing is answered in time.
    client.get::<(), _>("key").await.expect_err("the reply before it takes three seconds");
    assert_eq!(large.await.expect("no panic").map(|value| value.len()), Ok(size));
    assert_eq!(relay.accepted(), 1, "no connection was left");
}

#[tokio::test]
async fn a_command_that_blocks_is_not_silence() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    let blocking = client.clone();
    let pop = tokio::spawn(async move { blocking.blpop::<(String, u32), _>("list", 10.0).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.get::<(), _>("key").await.expect_err("the connection is blocked");
    server.command(&["RPUSH", "list", "7"]);
    assert_eq!(pop.await.expect("no panic"), Ok(("list".to_owned(), 7)));
    assert_eq!(relay.accepted(), 1, "no connection was left");
}

/// A process that is stopped takes connections and answers nothing; its sentinels replace it after a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_freezes_is_left_for_the_promoted_one() {
    let all = RedisSentinel::start();
    let client = RetryClient::connect(all.config(), POLICY).await.expect("the sentinels are up");
    let fresh = async || RetryClient::connect(all.config(), POLICY).await?.ping::<()>(None).await;
    client.set::<(), _, _>("key", 1, None, None, false).await.expect("connected");
    let old = all.primary();
    all.server(old).pause();
    let reading = {
        let client = client.clone();
        tokio::spawn(async move { time_until_a_read(&client, Duration::from_millis(100)).await })
    };
    all.wait_for_another(old);
    // What a new client takes to find the promoted one is as good as it gets.
    let begin = Instant::now();
    while tokio::time::timeout(LIMIT, fresh()).await.map_or(true, |result| result.is_err()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reading.await.expect("found the promoted one");
    let behind = begin.elapsed();
    all.server(old).resume();
    assert!(behind < Duration::from_secs(4), "{behind:?} after the promotion");
}

/// Nothing is sent on the connection of a subscriber that could time out.
async fn a_subscriber_hears_again(version: RespVersion) {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let config = Config { version, ..redis(relay.port()) };
    let mut builder = Builder::from_config(config);
    builder.set_policy(ReconnectPolicy::new_constant(0, 100));
    let fred: SubscriberClient = builder.build_subscriber_client().expect("complete");
    let client = fred.with_retry(POLICY);
    client.init().await.expect("the server is up");
    let _resubscribes = client.fred().manage_subscriptions();
    client.fred().subscribe("news").await.expect("connected");
    let mut messages = client.fred().message_rx();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(relay.accepted(), 1, "silence between messages is no sign");
    relay.forget();
    let begin = Instant::now();
    while server.number(&["PUBLISH", "news", "x"]) < 2 {
        assert!(begin.elapsed() < Duration::from_secs(8), "never subscribed again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::timeout(Duration::from_secs(1), messages.recv())
        .await
        .expect("a message")
        .expect("open");
}

#[tokio::test]
async fn a_silent_subscriber_connects_again() {
    a_subscriber_hears_again(RespVersion::RESP2).await;
}

#[tokio::test]
async fn a_silent_subscriber_connects_again_in_resp3() {
    a_subscriber_hears_again(RespVersion::RESP3).await;
}

/// The connections of one node of a cluster are forgotten; the node itself is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_connection_to_a_node_of_a_cluster_is_left() {
    let cluster = RedisCluster::start(Duration::from_secs(5));
    let mut relays = Vec::new();
    for node in 0..3 {
        let relay = Relay::start(cluster.node(node).port()).await;
        let port = relay.port().to_string();
        cluster.ok(node, &["CONFIG", "SET", "cluster-announce-port", &port]);
        relays.push(relay);
    }
    cluster.wait("relays are announced", || {
        let announced = |slots: &[String]| {
            relays.iter().all(|relay| slots.iter().any(|word| *word == relay.port().to_string()))
        };
        (0..3).all(|node| announced(&cluster.node(node).values(&["CLUSTER", "SLOTS"])))
    });
    let client = RetryClient::connect(cluster.config(), POLICY).await.expect("the cluster is up");
    client.get::<(), _>("key").await.expect("connected");
    relays[cluster.first_owner("key")].forget();
    let back = time_until_a_read(&client, Duration::from_millis(20)).await;
    assert!(back < BOUND + LIMIT, "{back:?}");
}

/// A node that is stopped keeps its place until its replica takes it; the other nodes are not disturbed meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_that_freezes_disturbs_no_other() {
    let cluster = RedisCluster::start_with(
        Duration::from_secs(2),
        &["--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"],
    );
    cluster.wait_until_replicas_are_told();
    let client = RetryClient::connect(cluster.config(), POLICY).await.expect("the cluster is up");
    let frozen = cluster.first_owner("key");
    let other = (0..).map(|number| format!("other:{number}"));
    let other = { other }.find(|key| cluster.first_owner(key) != frozen).expect("one of them");
    client.get::<(), _>("key").await.expect("connected");
    cluster.node(frozen).pause();
    let (begin, mut disturbed) = (Instant::now(), 0);
    let reading = client.clone();
    let back =
        tokio::spawn(async move { time_until_a_read(&reading, Duration::from_millis(50)).await });
    while !back.is_finished() {
        assert!(begin.elapsed() < Duration::from_secs(15), "never");
        disturbed += u32::from(client.get::<(), _>(&other).await.is_err());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.node(frozen).resume();
    // All nodes wait while fred asks for the nodes again, which ends with the promotion.
    assert!(disturbed <= 2, "{disturbed} reads of another node failed");
    back.await.expect("found the promoted one");
}

/// Transactions have connections of their own, whose answers say nothing about the client's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_answered_does_not_hide_the_silence() {
    let server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    relay.forget();
    let transacting = client.clone();
    let transactions = tokio::spawn(async move {
        loop {
            let counting = transacting.transaction::<(u64,), _, _, _>("n", |_, multi| async move {
                multi.incr::<(), _>("n").await
            });
            let _ = counting.await;
        }
    });
    let back = time_until_a_read(&client, Duration::from_millis(20)).await;
    assert!(back < BOUND, "{back:?}");
    transactions.abort();
}
