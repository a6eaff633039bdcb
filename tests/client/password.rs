//! A password that changes: who is connected stays, who connects is refused.

use std::time::Duration;

use fred::{
    prelude::*,
    types::{ClusterHash, CustomCommand},
};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::RedisServer;

const RETRIES: RetryPolicy<Constant> =
    RetryPolicy::constant(Duration::from_millis(20)).retries(500);
const POLICY: RetryPolicy<Constant, ByDisposition, Timed> =
    RETRIES.attempt_timeout(Duration::from_millis(500));

fn config(server: &RedisServer, password: &str) -> Config {
    Config {
        server: ServerConfig::new_centralized("127.0.0.1", server.port()),
        password: Some(password.to_owned()),
        ..Config::default()
    }
}

/// Changes the password and ends all connections but that of the client it returns.
async fn change_password(
    server: &RedisServer,
    client: &RetryClient,
    password: &str,
) -> RetryClient {
    client.config_set("requirepass", password).await.expect("allowed");
    assert_eq!(client.incr::<u64, _>("counter").await, Ok(1), "the connection stays");
    let admin = RetryClient::connect(config(server, password), POLICY).await.expect("the password");
    let kill = CustomCommand::new_static("CLIENT", ClusterHash::Random, false);
    admin.custom::<(), _>(kill, vec!["KILL", "TYPE", "normal"]).await.expect("killed");
    admin
}

/// Returns how often the server refused a password.
async fn refused(admin: &RetryClient) -> u64 {
    let info = CustomCommand::new_static("INFO", ClusterHash::Random, false);
    let statistics: String = admin.custom(info, vec!["errorstats"]).await.expect("text");
    let number =
        statistics.lines().find_map(|line| line.strip_prefix("errorstat_WRONGPASS:count="));
    number.map_or(0, |number| number.parse().expect("a number"))
}

/// Counts until that fails in this way.
async fn failure(client: &RetryClient, class: ErrorClass) -> Error {
    loop {
        match client.incr::<u64, _>("counter").await {
            Err(error) if class.matches(&error) => return error,
            // The connection is just being lost.
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_client_that_fred_connects_waits_for_the_old_password() {
    let server = RedisServer::start(&["--requirepass", "old"]);
    let client = RetryClient::connect(config(&server, "old"), POLICY).await.expect("the password");
    let admin = change_password(&server, &client, "new").await;
    let error = failure(&client, ErrorClass::AUTH).await;
    assert_eq!(error.disposition(), Disposition::Permanent);
    assert!(error.details().contains("not connected to 127.0.0.1:"), "{error}");
    let executed: u64 = admin.get("counter").await.expect("a number");
    admin.config_set("requirepass", "old").await.expect("allowed");
    let patient = client.with_policy(RETRIES.attempt_timeout(Duration::from_secs(20)));
    assert_eq!(patient.incr::<u64, _>("counter").await, Ok(executed + 1));
}

/// A client that fred does not connect again connects itself, and is told why it cannot.
#[tokio::test]
async fn a_wrong_password_is_tried_again_only_if_the_policy_names_it() {
    let server = RedisServer::start(&["--requirepass", "old"]);
    let fred = Builder::from_config(config(&server, "old")).build().expect("complete");
    let client = fred.with_retry(POLICY);
    client.init().await.expect("the password");
    let admin = change_password(&server, &client, "new").await;
    let error = failure(&client, ErrorClass::AUTH).await;
    assert_eq!(error.disposition(), Disposition::Permanent);
    let before = refused(&admin).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    failure(&client, ErrorClass::AUTH).await;
    assert_eq!(refused(&admin).await, before + 1, "one attempt to connect");

    let waiting = tokio::spawn({
        let client = client.with_policy(RETRIES.on(ErrorClass::AUTH));
        async move { client.incr::<u64, _>("counter").await }
    });
    while refused(&admin).await < before + 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let executed: u64 = admin.get("counter").await.expect("a number");
    admin.config_set("requirepass", "old").await.expect("allowed");
    assert_eq!(waiting.await.expect("no panic"), Ok(executed + 1));
}
