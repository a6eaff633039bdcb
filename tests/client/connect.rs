//! A client that owns its connection: it fails at once, and connects again when fred does not.

use std::time::{Duration, Instant};

use fred::{error::ErrorKind, prelude::*};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{NotSentinel, RetryClient, RetryTransaction, Target, WithRetry},
    retryable,
};
use retry_tests::{Events, Load, RedisServer, redis};
use tracing::Level;

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(20)).retries(100);

/// Far below the timeout of an attempt, and long on a slow machine.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_wrong_address_is_told_at_once() {
    let mut server = RedisServer::start(&[]);
    server.kill();
    let begin = Instant::now();
    let error = RetryClient::connect(redis(server.port()), POLICY).await.expect_err("nobody there");
    assert_eq!(*error.kind(), ErrorKind::IO);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once() {
    let server = RedisServer::start(&["--requirepass", "secret"]);
    let wrong = Config { password: Some("guess".to_owned()), ..redis(server.port()) };
    let begin = Instant::now();
    let error = RetryClient::connect(wrong, POLICY).await.expect_err("the wrong password");
    assert!(ErrorClass::AUTH.matches(&error), "{error:?}");
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_buffer_limit_is_refused_with_the_reason() {
    let server = RedisServer::start(&[]);
    let mut builder = Builder::from_config(redis(server.port()));
    builder.with_connection_config(|connection| connection.max_command_buffer_len = 100);
    let error = RetryClient::connect_with(builder, POLICY).await.expect_err("refused");
    assert_eq!(*error.kind(), ErrorKind::Config);
    assert!(error.details().contains("`max_command_buffer_len` must stay 0"), "{error}");
    let mut builder = Builder::from_config(redis(server.port()));
    builder.with_connection_config(|connection| connection.max_command_buffer_len = 100);
    let connected = builder.build().expect("fred allows it");
    connected.init().await.expect("the server is up");
    let error = connected.with_retry(POLICY).incr::<i64, _>("counter").await.expect_err("refused");
    assert!(error.details().contains("`max_command_buffer_len` must stay 0"), "{error}");
    assert_eq!(server.command(&["EXISTS", "counter"]), ":0\r\n");
}

/// Without a reconnect policy fred ends with the first lost connection, and still says that it is connected.
#[tokio::test]
async fn a_connection_that_fred_gives_up_is_made_anew() {
    let server = RedisServer::start(&[]);
    let client = Builder::from_config(redis(server.port())).build().expect("complete");
    let client = client.with_retry(POLICY);
    client.init().await.expect("the server is up");
    for round in 1..=3 {
        assert_eq!(client.incr::<i64, _>("counter").await, Ok(round));
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let begin = Instant::now();
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(4));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

/// What fred drops with the connection it counts as queued for ever, and then it sends nothing more.
#[tokio::test]
async fn a_connection_that_is_lost_under_load_is_made_anew() {
    let server = RedisServer::start(&[]);
    let client = Builder::from_config(redis(server.port())).build().expect("complete");
    let client = client.with_retry(POLICY);
    client.init().await.expect("the server is up");
    let counting = client.clone();
    let load = Load::start(16, move |_| {
        let client = counting.clone();
        async move { client.incr("counter").await }
    });
    for _ in 0..5 {
        load.answers(100).await;
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
    load.answers(100).await;
    let tally = load.stop().await;
    tally.check_counter("connections of our own", server.number(&["GET", "counter"]));
    let timeouts = tally.texts.iter().filter(|text| text.starts_with("Timeout"));
    assert_eq!(timeouts.count(), 0, "sent, but never written");
    assert!(tally.unknown.len() <= 5 * 16, "only what was on its way is in doubt");
}

/// No command of these was sent while there was no connection, so each is executed once.
#[tokio::test]
async fn many_calls_share_one_new_connection() {
    let mut server = RedisServer::start(&[]);
    let client = Builder::from_config(redis(server.port())).build().expect("complete");
    let client = client.with_retry(POLICY);
    client.init().await.expect("the server is up");
    server.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let calls = (0..64).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.incr::<i64, _>("counter").await })
    });
    let calls = calls.collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart();
    for call in calls {
        call.await.expect("no panic").expect("executed after the restart");
    }
    assert_eq!(client.get::<u32, _>("counter").await, Ok(64));
    let clients = server.command(&["CLIENT", "LIST", "TYPE", "normal"]);
    assert!(
        clients.matches("lib-name").count().max(clients.matches("id=").count()) <= 3,
        "{clients}"
    );
}

#[tokio::test]
async fn a_member_of_a_pool_that_fred_gives_up_is_made_anew() {
    let server = RedisServer::start(&[]);
    let pool = Builder::from_config(redis(server.port())).build_pool(3).expect("complete");
    let client = pool.with_retry(POLICY);
    client.init().await.expect("the server is up");
    let ids = server.command(&["CLIENT", "LIST", "TYPE", "normal"]);
    let id = ids.split("id=").nth(1).and_then(|text| text.split(' ').next()).expect("a client");
    server.command(&["CLIENT", "KILL", "ID", id]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    for round in 1..=12 {
        assert_eq!(client.incr::<i64, _>("counter").await, Ok(round));
    }
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_closed_client_stays_closed() {
    let server = RedisServer::start(&[]);
    let client =
        RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up");
    client.quit().await.expect("closed");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    let error = client.incr::<i64, _>("counter").await.expect_err("closed");
    assert_eq!(*error.kind(), ErrorKind::Canceled, "{error:?}");
    assert_eq!(client.statistics().retries, 0);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    client.init().await.expect("the server is up");
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(1));
}

/// Every kind of call, so that none is repeated by whoever wraps it.
async fn check_closed<C>(client: &RetryClient<C>)
where
    C: Target + NotSentinel + KeysInterface + ListInterface,
{
    let begin = Instant::now();
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("counter").await.expect("queued");
    let multi = client.multi();
    multi.incr::<(), _>("counter").await.expect("queued");
    let stubborn = client.with_policy(POLICY.unlimited().on(ErrorClass::ANY));
    let body = |_, multi: RetryTransaction| async move { multi.incr::<(), _>("counter").await };
    let errors = [
        client.incr::<i64, _>("counter").await.expect_err("closed"),
        stubborn.incr::<i64, _>("counter").await.expect_err("closed"),
        pipeline.all::<Value>().await.expect_err("closed"),
        multi.exec::<Value>(false).await.expect_err("closed"),
        client.blpop::<Value, _>("list", 1.0).await.expect_err("closed"),
        client.transaction::<Value, _, _, _>("watched", body).await.expect_err("closed"),
    ];
    for error in errors {
        assert_eq!(*error.kind(), ErrorKind::Canceled, "{error:?}");
        assert_eq!(error.disposition(), Disposition::Permanent, "{error:?}");
        assert!(ErrorClass::CANCELED.matches(&error), "{error:?}");
    }
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[retryable(policy = constant(delay = "1ms", retries = unlimited))]
async fn guarded(client: &RetryClient) -> FredResult<i64> {
    client.incr("counter").await
}

#[tokio::test]
async fn nothing_repeats_a_call_on_a_client_that_was_closed() {
    let server = RedisServer::start(&[]);
    let client =
        RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up");
    client.quit().await.expect("closed");
    check_closed(&client).await;
    let ended = tokio::time::timeout(AT_ONCE, guarded(&client)).await;
    ended.expect("at once").expect_err("closed");
    assert_eq!(server.number(&["EXISTS", "counter"]), 0);
}

#[tokio::test]
async fn nothing_repeats_a_call_on_a_wrapped_client_that_was_closed() {
    let server = RedisServer::start(&[]);
    let builder = Builder::from_config(redis(server.port()));
    let fred = builder.build().expect("complete");
    fred.init().await.expect("the server is up");
    let client = fred.clone().with_retry(POLICY);
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(1));
    client.quit().await.expect("closed");
    check_closed(&client).await;
    // The user may connect without us.
    fred.init().await.expect("the server is up");
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(2));

    let pool = builder.build_pool(3).expect("complete").with_retry(POLICY);
    pool.init().await.expect("the server is up");
    pool.quit().await.expect("closed");
    check_closed(&pool).await;
    let subscriber = builder.build_subscriber_client().expect("complete").with_retry(POLICY);
    subscriber.init().await.expect("the server is up");
    subscriber.quit().await.expect("closed");
    check_closed(&subscriber).await;
    let error = subscriber.subscribe("channel").await.expect_err("closed");
    assert_eq!(error.disposition(), Disposition::Permanent, "{error:?}");
}

#[tokio::test]
async fn a_client_whose_first_connection_failed_connects_with_its_next_command() {
    let mut server = RedisServer::start(&[]);
    let client = Builder::from_config(redis(server.port()))
        .build()
        .expect("the configuration is complete")
        .with_retry(POLICY);
    server.kill();
    client.init().await.expect_err("nobody there");
    server.restart();
    let begin = Instant::now();
    assert_eq!(client.incr::<i64, _>("counter").await, Ok(1));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_client_may_be_connected_again() {
    let server = RedisServer::start(&[]);
    let client =
        RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up");
    client.init().await.expect("the server is up");
    // The end of the task before says nothing about the one that works.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = server.number(&["INCR", "connections"]);
    for _ in 0..3 {
        client.incr::<i64, _>("counter").await.expect("the server is up");
    }
    assert_eq!((before, server.text(&["GET", "counter"]).as_str()), (1, "3"));
}

#[tokio::test]
async fn a_connected_client_that_will_not_connect_again_is_warned_of() {
    let server = RedisServer::start(&[]);
    let mut builder = Builder::from_config(redis(server.port()));
    let events = Events::listen();
    let warnings = || events.take().iter().filter(|(level, _)| *level == Level::WARN).count();
    let alone = builder.build().expect("the configuration is complete");
    drop(alone.clone().with_retry(POLICY));
    assert_eq!(warnings(), 0, "`init` of the result notices");
    alone.init().await.expect("the server is up");
    drop(alone.with_retry(POLICY));
    assert_eq!(warnings(), 1);
    builder.set_policy(ReconnectPolicy::new_constant(0, 10));
    let reconnects = builder.build().expect("the configuration is complete");
    reconnects.init().await.expect("the server is up");
    drop(reconnects.with_retry(POLICY));
    assert_eq!(warnings(), 0);
}
