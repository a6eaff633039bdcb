//! A pool whose members lose their connections.

use std::time::{Duration, Instant};

use fred::prelude::*;
use retry_runtime::{
    Constant, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::{Load, RedisServer, redis};

const POLICY: RetryPolicy<Constant, ByDisposition, Timed> =
    RetryPolicy::constant(Duration::from_millis(20))
        .retries(300)
        .attempt_timeout(Duration::from_secs(10));

const TASKS: usize = 8;

async fn pool(server: &RedisServer, reconnect: Option<ReconnectPolicy>) -> RetryClient<Pool> {
    let mut builder = Builder::from_config(redis(server.port()));
    if let Some(policy) = reconnect {
        builder.set_policy(policy);
    }
    let client = builder.build_pool(3).expect("complete").with_retry(POLICY);
    client.init().await.expect("the server is up");
    client
}

fn counts(client: &RetryClient<Pool>) -> Load {
    let client = client.clone();
    Load::start(TASKS, move |_| {
        let client = client.clone();
        async move { client.incr("counter").await }
    })
}

/// Returns the identities of the connections, the oldest first.
fn connections(server: &RedisServer) -> Vec<String> {
    let list = server.text(&["CLIENT", "LIST", "TYPE", "normal"]);
    let ids = list.lines().filter(|line| !line.contains("cmd=client|list"));
    let ids = ids.filter_map(|line| line.strip_prefix("id=")?.split(' ').next());
    ids.map(str::to_owned).collect()
}

async fn one_member_is_killed(reconnect: Option<ReconnectPolicy>) {
    let server = RedisServer::start(&[]);
    let client = pool(&server, reconnect).await;
    let load = counts(&client);
    let rounds = 5;
    for _ in 0..rounds {
        load.answers(100).await;
        let mut ids = connections(&server);
        while ids.len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ids = connections(&server);
        }
        server.command(&["CLIENT", "KILL", "ID", &ids[0]]);
    }
    load.answers(100).await;
    let tally = load.stop().await;
    tally.check_counter("pool, one member killed", server.number(&["GET", "counter"]));
    assert!(tally.unknown.len() <= rounds * TASKS, "only what was on its way is in doubt");
    assert!(tally.refused.is_empty(), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_fred_connects_a_member_again() {
    one_member_is_killed(Some(ReconnectPolicy::new_constant(0, 50))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_a_member_is_made_anew() {
    one_member_is_killed(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_outlives_its_server() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client = pool(&server, Some(ReconnectPolicy::new_constant(0, 50))).await;
    let load = counts(&client);
    load.answers(100).await;
    server.kill();
    server.restart();
    let begin = Instant::now();
    load.answers(100).await;
    println!("answers {:?} after the restart", begin.elapsed());
    let tally = load.stop().await;
    tally.check_counter("pool, server killed", server.number(&["GET", "counter"]));
    assert!(tally.refused.is_empty(), "{tally:?}");
}
