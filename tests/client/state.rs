//! What belongs to a connection: subscriptions, tracking, the selected database; and what it is made with.

use std::{sync::OnceLock, time::Duration};

use fred::{clients::SubscriberClient, prelude::*, types::RespVersion};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{RetryClient, WithRetry},
};
use retry_tests::{RedisCluster, RedisServer, redis};
use tokio::time::{Instant, sleep, timeout};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(20);
const LIMIT: Duration = Duration::from_secs(5);

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LIMIT, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_subscriber_is_subscribed_again_on_a_new_connection() {
    let server = RedisServer::start(&[]);
    let mut builder = Builder::from_config(redis(server.port()));
    builder.set_policy(ReconnectPolicy::new_constant(0, 10));
    let fred: SubscriberClient = builder.build_subscriber_client().expect("complete");
    let client = fred.with_retry(POLICY);
    client.init().await.expect("the server is up");
    let _task = client.fred().manage_subscriptions();
    client.subscribe(vec!["news", "old"]).await.expect("connected");
    client.psubscribe("news.*").await.expect("connected");
    client.ssubscribe("shard").await.expect("connected");
    client.unsubscribe("old").await.expect("connected");
    let receivers = |channel: &str| server.number(&["PUBLISH", channel, "text"]);
    let shard = || server.number(&["SPUBLISH", "shard", "text"]);
    until("subscribed", || receivers("old") == 0 && receivers("news.a") == 1).await;
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    until("subscribed again", || {
        receivers("news") == 1 && receivers("news.a") == 1 && shard() == 1
    })
    .await;
    assert_eq!(receivers("old"), 0);
}

#[tokio::test]
async fn tracking_starts_again_on_a_new_connection_and_nothing_cached_holds() {
    let server = RedisServer::start(&[]);
    let mut config = redis(server.port());
    config.version = RespVersion::RESP3;
    let client = RetryClient::connect(config, POLICY).await.expect("the server is up");
    client
        .start_tracking(Vec::<String>::new(), false, false, false, false)
        .await
        .expect("connected");
    let mut invalidations = client.fred().invalidation_rx();
    let _: Value = client.get("cached").await.expect("connected");
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    for _ in 0..3 {
        let all = timeout(LIMIT, invalidations.recv()).await.expect("told").expect("open");
        assert!(all.keys.is_empty(), "{all:?}");
    }
    let _: Value = client.get("cached").await.expect("connected again");
    server.command(&["SET", "cached", "by another"]);
    let one = timeout(LIMIT, invalidations.recv()).await.expect("told").expect("open");
    assert_eq!(one.keys, ["cached".into()]);
    client.stop_tracking().await.expect("connected");
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    let info: Vec<Value> = client.client_trackinginfo().await.expect("connected again");
    assert!(format!("{info:?}").contains("off"), "{info:?}");
}

/// The new connection is made by whoever sends the first command on the new runtime.
#[test]
fn tracking_starts_again_on_another_runtime() {
    let server = RedisServer::start(&[]);
    let config = || Config { version: RespVersion::RESP3, ..redis(server.port()) };
    let client = OnceLock::<RetryClient>::new();
    for round in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            if client.get().is_none() {
                let made = RetryClient::connect(config(), POLICY).await.expect("the server is up");
                let none = Vec::<String>::new();
                made.start_tracking(none, false, false, false, false).await.expect("connected");
                client.set(made).expect("first");
            }
            let client = client.get().expect("set");
            let mut invalidations = client.fred().invalidation_rx();
            let _: Value = client.get("cached").await.expect("connected");
            for _ in 0..if round == 1 { 0 } else { 2 } {
                let all = timeout(LIMIT, invalidations.recv()).await.expect("told").expect("open");
                assert!(all.keys.is_empty(), "{all:?}");
            }
            let _: Value = client.get("cached").await.expect("connected");
            server.command(&["SET", "cached", "by another"]);
            let one = timeout(LIMIT, invalidations.recv()).await.expect("told").expect("open");
            assert_eq!(one.keys, ["cached".into()]);
        });
    }
}

/// Each node of a cluster tells of its own keys, and only on a connection that asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracking_starts_again_on_every_node_of_a_cluster() {
    let cluster = RedisCluster::start(Duration::from_secs(5));
    let config = Config { version: RespVersion::RESP3, ..cluster.config() };
    let client = RetryClient::connect(config, POLICY).await.expect("the cluster is up");
    let none = Vec::<String>::new();
    client.start_tracking(none, false, false, false, false).await.expect("connected");
    for lost in 0..3 {
        cluster.node(lost).command(&["CLIENT", "KILL", "TYPE", "normal"]);
        for key in ["a", "b", "c"] {
            let mut invalidations = client.fred().invalidation_rx();
            let is_heard = timeout(LIMIT, async {
                loop {
                    let _: FredResult<Value> = client.get(key).await;
                    cluster.node(cluster.first_owner(key)).command(&["SET", key, "by another"]);
                    sleep(Duration::from_millis(20)).await;
                    while let Ok(told) = invalidations.try_recv() {
                        if told.keys == [key.into()] {
                            return;
                        }
                    }
                }
            });
            is_heard.await.unwrap_or_else(|_| panic!("{key} is stale after {lost}"));
        }
    }
}

/// On a new connection the next write would go to another database.
#[tokio::test]
async fn only_the_configured_database_can_be_selected() {
    let server = RedisServer::start(&[]);
    let mut config = redis(server.port());
    config.database = Some(3);
    let client = RetryClient::connect(config, POLICY).await.expect("the server is up");
    client.select(3).await.expect("it is the configured one");
    let error = client.select(5).await.expect_err("another");
    assert_eq!((error.disposition(), server.executed("select")), (Disposition::Permanent, 2));
    assert!(error.details().contains("`Config::database`"), "{error}");
    client.pipeline().select(5).await.expect_err("another");
    client.multi().select(5).await.expect_err("another");
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    client.set::<(), _, _>("single", 1, None, None, false).await.expect("connected again");
    let _: Value = client
        .transaction("watched", |_, multi| async move { multi.incr::<(), _>("together").await })
        .await
        .expect("connected");
    assert_eq!(server.text(&["INFO", "keyspace"]).matches("keys=2").count(), 1);
    assert!(server.text(&["INFO", "keyspace"]).contains("db3:keys=2"));
}

/// This build of fred has no TLS, and would send the password as plain text.
#[tokio::test]
async fn a_url_that_asks_for_tls_is_refused_without_it() {
    let server = RedisServer::start(&[]);
    let before = server.number(&["CLIENT", "ID"]);
    for scheme in ["rediss", "valkeys", "rediss-cluster", "rediss-sentinel", "REDISS"] {
        let url =
            format!("{scheme}://:secret@127.0.0.1:{}?sentinelServiceName=name", server.port());
        let error = RetryClient::connect_url(&url, POLICY).await.expect_err("no TLS");
        assert!(error.details().contains("enable-rustls"), "{scheme}: {error}");
        assert!(!ErrorClass::CONNECTION.matches(&error) && !error.details().contains("secret"));
    }
    assert_eq!(server.number(&["CLIENT", "ID"]), before + 1, "nobody connected");
    let url = format!("redis://127.0.0.1:{}/2", server.port());
    let client = RetryClient::connect_url(&url, POLICY).await.expect("the server is up");
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(1));
    assert!(server.text(&["INFO", "keyspace"]).contains("db2:keys=1"));
}
