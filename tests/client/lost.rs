//! A connection that is lost: what waits for it was not sent, costs nothing, and is told so.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use fred::{error::ErrorKind, prelude::*};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::{Events, RedisServer, Relay, redis};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tracing::Level;

const POLICY: RetryPolicy<Constant, ByDisposition, Timed> =
    RetryPolicy::constant(Duration::from_millis(10))
        .retries(2)
        .attempt_timeout(Duration::from_millis(100));

#[tokio::test]
async fn what_waits_for_a_connection_was_not_executed() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client =
        RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up");
    client.incr::<u64, _>("counter").await.expect("connected");
    server.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let calls = (0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let pipeline = client.pipeline();
            pipeline.incr::<(), _>("counter").await.expect("queued");
            pipeline.incr::<(), _>("counter").await.expect("queued");
            let both = pipeline.all::<(u64, u64)>().await.map(|_| ());
            let multi = client.multi();
            multi.incr::<(), _>("counter").await.expect("queued");
            [
                client.incr::<u64, _>("counter").await.map(|_| ()),
                both,
                multi.exec::<()>(false).await,
            ]
        })
    });
    for call in calls.collect::<Vec<_>>() {
        for result in call.await.expect("no panic") {
            let error = result.expect_err("nobody there");
            assert_eq!(error.disposition(), Disposition::NotExecuted, "{error:?}");
            assert!(ErrorClass::CONNECTION.matches(&error), "{error:?}");
            let named = format!("Not connected to 127.0.0.1:{} for ", server.port());
            assert!(error.details().starts_with(&named), "{error}");
            assert!(error.details().ends_with("Connection refused (os error 111)"), "{error}");
        }
    }
    let budgets = client.statistics().budgets;
    assert_eq!(budgets[0].1.level, budgets[0].1.capacity, "retries of what was not sent are free");
    server.restart();
    let begin = Instant::now();
    while client.ping::<()>(None).await.is_err() {}
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.number(&["GET", "counter"]), 1, "nothing is executed later");
}

/// A write that waited is sent when the connection is back, once.
#[tokio::test]
async fn a_write_waits_for_the_connection() {
    let mut server = RedisServer::start(&[]);
    let patient = RetryPolicy::constant(Duration::from_millis(10)).retries(2);
    let client =
        RetryClient::connect(redis(server.port()), patient).await.expect("the server is up");
    server.kill();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.incr::<u64, _>("counter").await })
    });
    let calls = calls.collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart();
    for call in calls {
        call.await.expect("no panic").expect("executed after the restart");
    }
    assert_eq!(server.number(&["GET", "counter"]), 20);
    assert_eq!(client.statistics().failed_once, 0, "none of them failed");
}

#[tokio::test]
async fn a_closed_client_lets_nobody_wait() {
    let mut server = RedisServer::start(&[]);
    let patient = RetryPolicy::constant(Duration::from_millis(10)).retries(2);
    let client =
        RetryClient::connect(redis(server.port()), patient).await.expect("the server is up");
    server.kill();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let waiting = client.clone();
    let waiting = tokio::spawn(async move { waiting.incr::<u64, _>("counter").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _ = tokio::time::timeout(Duration::from_secs(1), client.quit()).await;
    let ended = tokio::time::timeout(Duration::from_secs(3), waiting).await;
    let error = ended.expect("at once").expect("no panic").expect_err("closed");
    assert_eq!(*error.kind(), ErrorKind::Canceled);
}

/// Behind one address the primary changes; the old one keeps its connections, and answers `READONLY`.
#[tokio::test]
async fn a_server_that_became_read_only_is_left() {
    let (old, new) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let relay = Relay::start(old.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    client.set::<(), _, _>("key", 1, None, None, false).await.expect("connected");
    relay.lead_to(new.port());
    old.command(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
    let begin = Instant::now();
    let mut failed = 0;
    while client.incr::<u64, _>("counter").await.is_err() {
        failed += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert!(failed <= 3, "{failed}");
    assert_eq!(new.number(&["GET", "counter"]), 1);
}

/// What became of one command is in the results of a queue, and hidden behind the `EXECABORT` of a transaction.
#[tokio::test]
async fn a_unit_leaves_a_server_that_became_read_only_too() {
    for unit in ["try_all", "last", "exec", "transaction"] {
        let (old, new) = (RedisServer::start(&[]), RedisServer::start(&[]));
        let relay = Relay::start(old.port()).await;
        let client =
            RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
        let _ = count_in(unit, &client).await;
        relay.lead_to(new.port());
        old.command(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
        let begin = Instant::now();
        while new.number(&["GET", "counter"]) == 0 {
            assert!(begin.elapsed() < Duration::from_secs(2), "{unit}");
            let _ = count_in(unit, &client).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn count_in(unit: &str, client: &RetryClient) -> FredResult<()> {
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("counter").await?;
    pipeline.ping::<()>(None).await?;
    match unit {
        "try_all" => drop(pipeline.try_all::<Value>().await),
        "last" => pipeline.last::<()>().await?,
        "exec" => {
            let multi = client.multi();
            multi.incr::<(), _>("counter").await?;
            multi.exec::<Value>(false).await?;
        }
        _ => {
            let counting = client.transaction::<Value, _, _, _>("counter", |_, multi| async move {
                multi.incr::<(), _>("counter").await
            });
            counting.await?;
        }
    }
    Ok(())
}

/// A replica that stays one is not connected to again and again.
#[tokio::test]
async fn a_server_that_stays_read_only_is_left_ever_more_rarely() {
    let (primary, replica) = (RedisServer::start(&[]), RedisServer::start(&[]));
    replica.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    let relay = Relay::start(replica.port()).await;
    let client = RetryClient::connect(redis(relay.port()), POLICY).await.expect("the server is up");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        let error = client.incr::<u64, _>("counter").await.expect_err("read only");
        assert!(ErrorClass::READ_ONLY.contains(ErrorClass::of(&error)) || relay.accepted() > 1);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!((2..=8).contains(&relay.accepted()), "{}", relay.accepted());
}

/// As `#[tokio::test]` does, one runtime after another.
#[test]
fn a_client_outlives_its_runtime() {
    static CLIENT: OnceLock<RetryClient> = OnceLock::new();
    let server = RedisServer::start(&[]);
    for round in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            if CLIENT.get().is_none() {
                let client = RetryClient::connect(redis(server.port()), POLICY).await;
                CLIENT.set(client.expect("the server is up")).expect("first");
            }
            let client = CLIENT.get().expect("set");
            assert_eq!(client.incr::<u64, _>("counter").await, Ok(round));
        });
    }
}

/// Whoever connected it before it was wrapped, its task ends with the runtime.
#[test]
fn a_client_that_was_only_wrapped_outlives_its_runtime_too() {
    let server = RedisServer::start(&[]);
    let (client, pool) = (OnceLock::<RetryClient>::new(), OnceLock::<RetryClient<Pool>>::new());
    for round in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            if client.get().is_none() {
                let mut builder = Builder::from_config(redis(server.port()));
                builder.set_policy(ReconnectPolicy::new_constant(0, 50));
                let one = builder.build().expect("complete");
                one.init().await.expect("the server is up");
                client.set(one.with_retry(POLICY)).expect("first");
                let all = builder.build_pool(2).expect("complete");
                all.init().await.expect("the server is up");
                pool.set(all.with_retry(POLICY)).expect("first");
            }
            let (client, pool) = (client.get().expect("set"), pool.get().expect("set"));
            assert_eq!(client.incr::<u64, _>("counter").await, Ok(round));
            for member in 1..=2 {
                let counted = pool.incr::<u64, _>("pooled").await;
                assert_eq!(counted, Ok(2 * (round - 1) + member));
            }
        });
    }
}

/// Takes the warnings about one server, after a while in which there may be more of them than there should be.
async fn warnings(events: &Events, server: &str) -> Vec<String> {
    let begin = Instant::now();
    let mut warnings = Vec::new();
    while warnings.is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(10), "no warning about {server}");
        tokio::time::sleep(Duration::from_millis(10)).await;
        warnings = rest(events, server);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    warnings.extend(rest(events, server));
    warnings
}

fn rest(events: &Events, server: &str) -> Vec<String> {
    let warnings = events.take().into_iter().filter(|(level, _)| *level <= Level::WARN);
    warnings.map(|(_, text)| text).filter(|text| text.contains(server)).collect()
}

/// One line when it is lost and one when it is back, whatever the calls do.
#[tokio::test]
async fn a_lost_connection_is_told_once_and_its_return_too() {
    let events = Events::listen();
    let mut server = RedisServer::start(&[]);
    let client =
        RetryClient::connect(redis(server.port()), POLICY).await.expect("the server is up");
    server.kill();
    let address = format!("127.0.0.1:{}", server.port());
    let lost = warnings(&events, &address).await;
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("connection lost") && lost[0].contains("cause="), "{lost:?}");
    server.restart();
    let back = warnings(&events, &address).await;
    assert_eq!(back.len(), 1, "{back:?}");
    assert!(back[0].contains("connection is back") && back[0].contains("lost_for="), "{back:?}");
    client.quit().await.expect("closed");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rest(&events, &address), Vec::<String>::new(), "closed on purpose");
}

async fn refusal(port: u16) -> Error {
    RetryClient::connect(redis(port), POLICY).await.expect_err("no Redis there")
}

#[tokio::test]
async fn an_error_of_connect_says_where_it_was_to_go() {
    let mut server = RedisServer::start(&[]);
    server.kill();
    let port = server.port();
    let error = refusal(port).await;
    let expected = format!("Connection refused (os error 111) (connecting to 127.0.0.1:{port})");
    assert_eq!(error.details(), expected);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told_in_words() {
    let server = ServerConfig::new_centralized("no-such-host.invalid", 6379);
    let config = Config { server, ..Config::default() };
    let error = RetryClient::connect(config, POLICY).await.expect_err("a reserved name");
    assert!(error.details().starts_with("failed to lookup address information"), "{error}");
    assert!(error.details().ends_with(" (connecting to no-such-host.invalid:6379)"), "{error}");
}

/// Answers everything with the same bytes, or hangs up.
async fn stranger(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.readable().await;
            let _ = client.write_all(answer).await;
        }
    });
    port
}

#[tokio::test]
async fn something_that_is_not_redis_is_named() {
    let port = stranger(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let error = refusal(port).await;
    assert!(error.details().contains("this does not speak the protocol of Redis"), "{error}");
    assert!(error.details().contains(&format!("127.0.0.1:{port}")), "{error}");
}

/// A server that speaks TLS hangs up on a client that does not.
#[tokio::test]
async fn a_server_that_hangs_up_may_want_tls() {
    let port = stranger(b"").await;
    let error = refusal(port).await;
    assert!(error.details().contains("it may want TLS, as in `rediss://`"), "{error}");
}

#[tokio::test]
async fn a_client_that_was_only_wrapped_tells_it_too() {
    let mut server = RedisServer::start(&[]);
    let mut builder = Builder::from_config(redis(server.port()));
    builder.set_policy(ReconnectPolicy::new_constant(0, 50));
    let fred = builder.build().expect("complete");
    fred.init().await.expect("the server is up");
    let client = fred.with_retry(POLICY);
    server.kill();
    let error = loop {
        let error = client.incr::<u64, _>("counter").await.expect_err("nobody there");
        if error.disposition() == Disposition::NotExecuted {
            break error;
        }
    };
    assert!(error.details().starts_with("Not connected to 127.0.0.1:"), "{error}");
    server.restart();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(client.incr::<u64, _>("counter").await, Ok(1));
}

/// fred waits ten seconds for the first answer, also of a server that answers the next connection.
#[tokio::test]
async fn a_connection_that_is_taken_and_not_answered_is_given_up_soon() {
    let mut server = RedisServer::start(&[]);
    let relay = Relay::start(server.port()).await;
    let mut builder = Builder::from_config(redis(relay.port()));
    builder.set_policy(ReconnectPolicy::new_constant(0, 50));
    let client = builder.build().expect("complete").with_retry(POLICY);
    client.init().await.expect("the server is up");
    let (silent, mute) =
        (TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port"), server.port());
    relay.lead_to(silent.local_addr().expect("bound").port());
    server.kill();
    // Time for one try.
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart();
    relay.lead_to(mute);
    let begin = Instant::now();
    while client.incr::<u64, _>("counter").await.is_err() {}
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}
