//! Commands on a cluster of three primaries and three replicas.

use std::time::Duration;

use fred::{
    prelude::*,
    types::{ClusterHash, CustomCommand, config::Options},
    util::redis_keyslot,
};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{RetryClient, Script},
    policy::Idempotence,
};
use retry_tests::RedisCluster;

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(20);

async fn start() -> (RedisCluster, RetryClient) {
    let cluster = RedisCluster::start(Duration::from_secs(5));
    let client = RetryClient::connect(cluster.config(), POLICY).await.expect("the cluster is up");
    (cluster, client)
}

/// Keys that all three primaries share.
fn keys() -> impl Iterator<Item = String> {
    (0..30).map(|number| format!("key:{number}"))
}

/// Returns how often the first owners executed a command.
fn executed(cluster: &RedisCluster, command: &str) -> [u64; 3] {
    [0, 1, 2].map(|node| cluster.node(node).executed(command))
}

#[tokio::test]
async fn every_command_goes_to_the_owner_of_its_key() {
    let (cluster, client) = start().await;
    for key in keys() {
        assert_eq!(client.incr::<u64, _>(&key).await, Ok(1));
        assert_eq!(client.set::<String, _, _>(&key, "a", None, None, false).await, Ok("OK".into()));
        assert_eq!(client.get::<String, _>(&key).await, Ok("a".into()));
        assert_eq!(client.del::<u64, _>(&key).await, Ok(1));
        assert_eq!(client.rpush::<u64, _, _>(&key, vec![1, 2, 3]).await, Ok(3));
        assert_eq!(client.lpop::<u64, _>(&key, None).await, Ok(1));
        assert_eq!(client.blpop::<(String, u64), _>(&key, 1.0).await, Ok((key.clone(), 2)));
    }
    for command in ["incr", "set", "get", "del", "rpush", "lpop", "blpop"] {
        let executed = executed(&cluster, command);
        assert_eq!(executed.iter().sum::<u64>(), 30, "{command}: {executed:?}");
        assert!(executed.iter().all(|count| *count > 0), "{command}: {executed:?}");
    }
    assert_eq!(client.ping::<String>(None).await, Ok("PONG".into()));
    assert!(
        client.cluster_info::<String>().await.is_ok_and(|text| text.contains("cluster_state:ok"))
    );
    client.flushall_cluster().await.expect("all primaries");
    assert!(cluster.node(0).number(&["DBSIZE"]) + cluster.node(1).number(&["DBSIZE"]) == 0);
}

#[tokio::test]
async fn keys_of_different_slots_are_the_callers_error_at_once() {
    let (cluster, client) = start().await;
    let error = client.mget::<Value, _>(vec!["a", "b"]).await.expect_err("two slots");
    assert!(ErrorClass::CROSS_SLOT.matches(&error), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Permanent);
    let refused = (0..3).map(|node| cluster.node(node).refused("CROSSSLOT")).sum::<u64>();
    assert_eq!(refused, 1, "sent once");
    client.mset(vec![("{tag}a", 1), ("{tag}b", 2)]).await.expect("one slot");
    assert_eq!(client.mget::<Vec<u64>, _>(vec!["{tag}a", "{tag}b"]).await, Ok(vec![1, 2]));
}

#[tokio::test]
async fn a_pipeline_answers_in_its_order_though_it_goes_to_all_nodes() {
    let (cluster, client) = start().await;
    let pipeline = client.pipeline();
    for (number, key) in keys().enumerate() {
        pipeline.incr_by::<(), _>(key, number as i64 + 1).await.expect("queued");
    }
    let expected = (1..=30).collect::<Vec<i64>>();
    assert_eq!(pipeline.all::<Vec<i64>>().await, Ok(expected.clone()));
    assert!(executed(&cluster, "incrby").iter().all(|count| *count > 0));
    let doubled = expected.iter().map(|number| 2 * number).collect::<Vec<_>>();
    let results = pipeline.try_all::<i64>().await;
    assert_eq!(results.into_iter().collect::<FredResult<Vec<_>>>(), Ok(doubled));
}

fn on_slot_of(key: &str) -> Options {
    let slot = ClusterHash::Custom(redis_keyslot(key.as_bytes()));
    Options { cluster_hash: Some(slot), ..Options::default() }
}

#[tokio::test]
async fn a_transaction_goes_to_the_node_of_its_slot() {
    let (cluster, client) = start().await;
    let multi = client.multi();
    multi.ping::<()>(None).await.expect("queued");
    let error = multi.exec::<Value>(false).await.expect_err("nothing says where");
    assert!(error.details().contains("Options::cluster_hash"), "{error}");
    let multi = client.multi();
    for key in ["a", "b"] {
        multi.incr::<(), _>(key).await.expect("queued");
    }
    let error = multi.exec::<Value>(false).await.expect_err("two slots");
    assert!(ErrorClass::CROSS_SLOT.matches(&error), "{error:?}");
    assert_eq!(executed(&cluster, "multi"), [0; 3]);
    for (key, script) in keys().zip([false, true].into_iter().cycle()) {
        let multi = client.multi();
        let code = "return redis.call('SADD', KEYS[1], 1)";
        if script {
            multi.eval::<(), _, _, _>(code, format!("{{{key}}}set"), ()).await.expect("queued");
        } else {
            multi.sadd::<(), _, _>(format!("{{{key}}}set"), 1).await.expect("queued");
        }
        multi.sadd::<(), _, _>(format!("{{{key}}}set"), 2).await.expect("queued");
        assert_eq!(multi.exec::<(u64, u64)>(false).await, Ok((1, 1)));
    }

    for key in keys().take(6) {
        let multi = client.with_options(&on_slot_of(&key)).multi();
        multi.incr::<(), _>(&key).await.expect("queued");
        multi.rpush::<(), _, _>(format!("{{{key}}}list"), vec![1, 2]).await.expect("queued");
        assert_eq!(multi.exec::<(u64, u64)>(false).await, Ok((1, 2)));
    }
    assert_eq!(executed(&cluster, "exec").iter().sum::<u64>(), 30 + 6);

    let multi = client.with_options(&on_slot_of("key:0")).multi();
    multi.incr::<(), _>("key:0").await.expect("queued");
    multi.incr::<(), _>(other_slot_of_the_node(&cluster, "key:0")).await.expect("queued");
    let error = multi.exec::<Value>(true).await.expect_err("two slots");
    assert!(ErrorClass::CROSS_SLOT.matches(&error), "{error:?}");
    assert_eq!(client.get::<u64, _>("key:0").await, Ok(1), "nothing more was executed");
}

fn other_slot_of_the_node(cluster: &RedisCluster, key: &str) -> String {
    let owner = cluster.first_owner(key);
    keys().find(|other| other != key && cluster.first_owner(other) == owner).expect("one of 30")
}

#[tokio::test]
async fn optimistic_transactions_lose_no_update_on_any_node() {
    let (_cluster, client) = start().await;
    let tasks = (0..6).map(|task| {
        let (client, key) = (client.clone(), format!("key:{}", task % 3));
        tokio::spawn(async move {
            for _ in 0..10 {
                let counted = client.transaction(key.as_str(), |watched, multi| {
                    let key = key.clone();
                    async move {
                        let counter: Option<u64> = watched.get(&key).await?;
                        let next = counter.unwrap_or(0) + 1;
                        multi.set::<(), _, _>(&key, next, None, None, false).await
                    }
                });
                counted.await.map(|(_,): (String,)| ()).expect("passes at last");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    for key in ["key:0", "key:1", "key:2"] {
        assert_eq!(client.get::<u64, _>(key).await, Ok(20), "{key}");
    }
}

/// Each node learns the script with its first call.
#[tokio::test]
async fn a_script_reaches_nodes_that_do_not_know_it() {
    let (cluster, client) = start().await;
    let count = Script::new("return redis.call('INCR', KEYS[1])", Idempotence::NotIdempotent);
    let client = client.with_policy(RetryPolicy::constant(Duration::ZERO).retries(0));
    for round in 1..=2 {
        for key in keys() {
            assert_eq!(client.run_script::<u64, _, _>(&count, key, ()).await, Ok(round));
        }
    }
    for node in 0..3 {
        cluster.ok(node, &["SCRIPT", "FLUSH"]);
    }
    for key in keys() {
        assert_eq!(client.run_script::<u64, _, _>(&count, key, ()).await, Ok(3));
    }
    let by_text = executed(&cluster, "eval");
    assert!(by_text.iter().all(|count| (1..=2).contains(count)), "{by_text:?}");
}

/// fred heeds the place of the key only if it is given as a slot.
#[tokio::test]
async fn scripts_and_custom_commands_go_to_the_owner_of_their_key() {
    let (cluster, client) = start().await;
    let client = client.with_policy(RetryPolicy::constant(Duration::ZERO).retries(0));
    for key in keys().take(6) {
        assert_eq!(
            client.eval::<u64, _, _, _>("return redis.call('INCR', KEYS[1])", &key, ()).await,
            Ok(1)
        );
        let hash = ClusterHash::Offset(1);
        let bits = CustomCommand::new_static("BITOP", hash, false);
        let args = vec!["NOT", &key, &key];
        assert_eq!(client.custom::<u64, _>(bits.clone(), args.clone()).await, Ok(1));
        client.custom_raw(bits, args).await.expect("a frame");
        let pipeline = client.pipeline();
        pipeline
            .eval::<(), _, _, _>("return redis.call('INCR', KEYS[1])", &key, ())
            .await
            .expect("queued");
        assert_eq!(pipeline.last::<u64>().await, Ok(2));
    }
    assert_eq!((0..3).map(|node| cluster.node(node).refused("MOVED")).sum::<u64>(), 0);
}
