//! The time that the events of a client tell.

use std::time::Duration;

use retry_runtime::{
    RetryPolicy,
    fred::RetryClient,
    testing::{Fault, FaultProxy},
};
use retry_tests::{Events, RedisServer, redis};

/// The clock of a plain command is started with its first failure, but knows when that attempt began.
#[tokio::test]
async fn a_failure_tells_how_long_it_took() {
    let server = RedisServer::start(&[]);
    let proxy = FaultProxy::start(server.port()).await.expect("a free port");
    let limit = Duration::from_millis(200);
    let policy = RetryPolicy::constant(limit).retries(0).attempt_timeout(limit);
    let client = RetryClient::connect(redis(proxy.port()), policy).await.expect("it is up");
    proxy.inject("INCR", Fault::HoldReply, 1);
    let events = Events::listen();
    client.incr::<i64, _>("counter").await.expect_err("too slow");
    let events = events.take();
    let words = events.iter().flat_map(|(_, text)| text.split(' '));
    let elapsed = words.filter_map(|word| word.strip_prefix("elapsed=")).collect::<String>();
    let millis: f64 = elapsed.trim_end_matches("ms").parse().expect(&elapsed);
    assert!((200.0..600.0).contains(&millis), "{elapsed}");
}
