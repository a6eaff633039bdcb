//! The commands of sentinels, which are sent by their words.

use std::{net::IpAddr, time::Duration};

use fred::{
    clients::SentinelClient,
    prelude::*,
    types::{SentinelFailureKind, config::SentinelConfig},
};
use retry_runtime::{Never, RetryPolicy, fred::WithRetry};
use retry_tests::{Bench, Fault};

use super::{bench, compare, table};

/// The server refuses what it does not know; fred does not mind that it is no sentinel.
async fn sentinel_of(bench: &Bench) -> SentinelClient {
    let (host, port) = ("127.0.0.1".to_owned(), bench.proxy.port());
    let config = SentinelConfig { host, port, ..SentinelConfig::default() };
    let reconnect = ReconnectPolicy::new_constant(0, 1);
    let client = SentinelClient::new(config, None, None, Some(reconnect));
    client.init().await.expect("the server is up");
    client
}

#[tokio::test]
async fn the_commands_of_sentinels() {
    let bench = bench().await;
    let fred = sentinel_of(&bench).await;
    let wrapped = fred.clone().with_retry(Never);
    let address: IpAddr = [127, 0, 0, 1].into();
    let names = compare! { bench, fred, wrapped;
        ckquorum("m");
        flushconfig();
        failover("m");
        get_master_addr_by_name("m");
        info_cache();
        master("m");
        masters();
        monitor("m", address, 6379, 2);
        myid();
        pending_scripts();
        remove("m");
        replicas("m");
        sentinels("m");
        set("m", ("quorum", 3));
        simulate_failure(SentinelFailureKind::CrashAfterElection);
        simulate_failure(SentinelFailureKind::CrashAfterPromotion);
        simulate_failure(SentinelFailureKind::Help);
        reset("*");
        config_get("*");
        config_set("announce-port", 6380);
    };
    assert_eq!(names, table("SentinelInterface"));
}

/// What is sent by its words has the time of the attempt, which fred's own method would take no notice of.
#[tokio::test]
async fn a_sentinel_that_does_not_answer_costs_the_time_of_the_attempt() {
    let bench = bench().await;
    let fred = sentinel_of(&bench).await;
    let policy = RetryPolicy::constant(Duration::ZERO).retries(0);
    let client = fred.with_retry(policy.attempt_timeout(Duration::from_millis(50)));
    bench.proxy.inject("SENTINEL", Fault::HoldReply, 1);
    let error = client.masters::<Value>().await.expect_err("no answer");
    assert_eq!(error.kind(), &ErrorKind::Timeout);
}

#[tokio::test]
async fn a_sentinel_is_asked_again_and_told_once() {
    let bench = bench().await;
    let fred = sentinel_of(&bench).await;
    let client = fred.with_retry(RetryPolicy::constant(Duration::from_millis(20)).retries(3));
    for (sends, method) in [(2, "masters"), (1, "failover")] {
        bench.proxy.inject("SENTINEL", Fault::LoseReply, 1);
        let before = bench.proxy.sent("SENTINEL");
        let _: FredResult<Value> = match method {
            "masters" => client.masters().await,
            _ => client.failover("m").await,
        };
        assert_eq!(bench.proxy.sent("SENTINEL") - before, sends, "{method}");
    }
}
