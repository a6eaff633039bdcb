//! What the errors of a real server say, as fred hands them over.

use std::{collections::HashMap, fmt::Debug, io, time::Duration};

use fred::{
    clients::WithOptions,
    prelude::{
        Builder, Client, ClientLike, Config, Error, FredResult, KeysInterface, ListInterface,
        LuaInterface, Options, ReconnectPolicy, ServerConfig, StreamsInterface, Value,
    },
    types::CustomCommand,
};
use retry_runtime::{
    Classify,
    Disposition::{self, NotExecuted, Permanent, Unknown},
    ErrorClass as Class, retryable,
};
use retry_tests::{RedisServer, redis};
use tokio::time::{sleep, timeout};

/// The limit on everything that should not take long; without one fred waits for ever in some failures.
const LIMIT: Duration = Duration::from_secs(5);

/// A client with fred's defaults, which neither reconnect nor send a command twice.
fn client(port: u16, password: Option<&str>) -> Client {
    let config = Config {
        server: ServerConfig::new_centralized("127.0.0.1", port),
        password: password.map(str::to_owned),
        ..Config::default()
    };
    let mut builder = Builder::from_config(config);
    builder.with_performance_config(|performance| performance.default_command_timeout = LIMIT);
    builder.build().expect("the configuration is complete")
}

async fn connected(server: &RedisServer) -> Client {
    let client = client(server.port(), None);
    connect(&client).await.expect("the server is up");
    client
}

async fn connect(client: &Client) -> FredResult<()> {
    timeout(LIMIT, client.init()).await.expect("fred neither connects nor fails").map(drop)
}

/// Sends each command once and gives it `limit`.
fn once(client: &Client, limit: Duration) -> WithOptions<Client> {
    client.with_options(&Options {
        max_attempts: Some(1),
        timeout: Some(limit),
        ..Options::default()
    })
}

async fn custom(client: &Client, words: &[&'static str]) -> FredResult<Value> {
    let (name, arguments) = words.split_first().expect("a command has a name");
    client.custom(CustomCommand::new_static(name, None, false), arguments.to_vec()).await
}

/// Checks what the error of a failed command begins with, its class and its disposition.
#[track_caller]
fn check<T: Debug>(result: FredResult<T>, details: &str, class: Class, disposition: Disposition) {
    let error: Error = result.expect_err("the command should fail");
    assert!(error.details().starts_with(details), "{error:?}");
    assert_eq!((Class::of(&error), error.disposition()), (class, disposition), "{error:?}");
}

/// Waits until a client blocks in a command such as BLPOP.
async fn blocked(server: &RedisServer) {
    let wait = async {
        while !server.command(&["INFO", "clients"]).contains("blocked_clients:1") {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, wait).await.expect("no client blocks");
}

#[tokio::test]
async fn a_wrong_use_of_the_data_is_permanent() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    let () = client.set("text", "abc", None, None, false).await.expect("SET works");

    let push: FredResult<i64> = client.lpush("text", "x").await;
    check(push, "WRONGTYPE ", Class::WRONG_TYPE, Permanent);

    let increment: FredResult<i64> = client.incr("text").await;
    check(increment, "ERR value is not an integer", Class::SERVER_ERROR, Permanent);

    let create = async || client.xgroup_create::<(), _, _, _>("stream", "group", "$", true).await;
    create().await.expect("the group is new");
    check(create().await, "BUSYGROUP ", Class::BUSY_GROUP, Permanent);
}

#[tokio::test]
async fn a_reply_that_does_not_convert_means_executed() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    let increment: FredResult<HashMap<String, String>> = client.incr("counter").await;
    check(increment, "Cannot convert to map.", Class::PARSE, Permanent);
    assert_eq!(client.get::<i64, _>("counter").await, Ok(1));
}

#[tokio::test]
async fn a_script_that_is_not_loaded_is_not_executed() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    let run: FredResult<Value> =
        client.evalsha("0".repeat(40), Vec::<String>::new(), Vec::<String>::new()).await;
    check(run, "NOSCRIPT ", Class::NO_SCRIPT, NotExecuted);
}

#[tokio::test]
async fn a_server_without_memory_executes_nothing() {
    let server = RedisServer::start(&["--maxmemory", "1"]);
    let client = connected(&server).await;
    let set: FredResult<()> = client.set("key", "value", None, None, false).await;
    check(set, "OOM ", Class::OOM, NotExecuted);
}

#[tokio::test]
async fn a_server_that_cannot_make_its_data_safe_executes_nothing() {
    let server = RedisServer::start(&["--min-replicas-to-write", "1"]);
    let client = connected(&server).await;
    let set: FredResult<()> = client.set("key", "value", None, None, false).await;
    check(set, "NOREPLICAS ", Class::NO_REPLICAS, NotExecuted);
}

#[tokio::test]
async fn a_server_that_loads_its_data_is_unknown() {
    // Half a millisecond per key, and an ear for clients about every kilobyte.
    let mut server = RedisServer::start(&[
        "--key-load-delay",
        "500",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    let fill = "for n = 1, 6000 do redis.call('SET', 'a key with a number ' .. n, n) end";
    server.command(&["EVAL", fill, "0"]);
    assert_eq!(server.command(&["SAVE"]), "+OK\r\n");
    server.restart();
    check(connect(&client(server.port(), None)).await, "LOADING ", Class::LOADING, Unknown);
}

#[tokio::test]
async fn a_replica_that_is_asked_to_write_is_unknown() {
    let primary = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    let client = connected(&replica).await;
    let set: FredResult<()> = client.set("key", "value", None, None, false).await;
    check(set, "READONLY ", Class::READ_ONLY, Unknown);
}

#[tokio::test]
async fn a_replica_that_lost_its_primary_executes_nothing() {
    let mut primary = RedisServer::start(&[]);
    primary.kill();
    let port = primary.port().to_string();
    let replica = RedisServer::start(&[
        "--replicaof",
        "127.0.0.1",
        &port,
        "--replica-serve-stale-data",
        "no",
    ]);
    let client = client(replica.port(), None);
    let outcome = match connect(&client).await {
        Ok(()) => client.get::<Value, _>("key").await.map(drop),
        refused => refused,
    };
    check(outcome, "MASTERDOWN ", Class::MASTER_DOWN, NotExecuted);
}

#[tokio::test]
async fn a_server_busy_with_a_script_executes_nothing_else() {
    // The older name of `busy-reply-threshold`, which all servers know.
    let server = RedisServer::start(&["--lua-time-limit", "50"]);
    let (looping, client) = (connected(&server).await, connected(&server).await);
    let script = tokio::spawn(async move {
        looping
            .eval::<Value, _, _, _>("while true do end", Vec::<String>::new(), Vec::<String>::new())
            .await
    });
    let refusal = async {
        loop {
            match client.get::<Value, _>("key").await {
                Ok(_) => sleep(Duration::from_millis(5)).await,
                refused => break refused,
            }
        }
    };
    check(
        timeout(LIMIT, refusal).await.expect("the script never blocks"),
        "BUSY ",
        Class::BUSY,
        NotExecuted,
    );

    assert_eq!(server.command(&["SCRIPT", "KILL"]), "+OK\r\n");
    check(script.await.expect("no panic"), "ERR ", Class::SERVER_ERROR, Permanent);
}

#[tokio::test]
async fn a_client_without_a_password_is_unknown_and_one_with_a_wrong_one_permanent() {
    let server = RedisServer::start(&["--requirepass", "secret"]);
    let anonymous = client(server.port(), None);
    let outcome = match connect(&anonymous).await {
        Ok(()) => anonymous.get::<Value, _>("key").await.map(drop),
        refused => refused,
    };
    check(outcome, "NOAUTH ", Class::AUTH, Unknown);
    check(
        connect(&client(server.port(), Some("wrong"))).await,
        "WRONGPASS ",
        Class::AUTH,
        Permanent,
    );
}

#[tokio::test]
async fn a_forbidden_command_is_permanent() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    server.command(&["ACL", "SETUSER", "default", "-get"]);
    check(client.get::<Value, _>("key").await, "NOPERM ", Class::NO_PERMISSION, Permanent);
}

#[tokio::test]
async fn a_refused_transaction_is_not_executed() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    custom(&client, &["MULTI"]).await.expect("MULTI works");
    custom(&client, &["INCR", "counter"]).await.expect("INCR is queued");
    check(
        custom(&client, &["INCR"]).await,
        "ERR wrong number of arguments",
        Class::SERVER_ERROR,
        Permanent,
    );
    check(custom(&client, &["EXEC"]).await, "EXECABORT ", Class::EXEC_ABORT, NotExecuted);
    assert_eq!(client.get::<Option<i64>, _>("counter").await, Ok(None));
}

#[tokio::test]
async fn a_client_too_many_executes_nothing() {
    let server = RedisServer::start(&[]);
    let client_within = connected(&server).await;
    custom(&client_within, &["CONFIG", "SET", "maxclients", "1"])
        .await
        .expect("the limit can be set");
    check(
        connect(&client(server.port(), None)).await,
        "ERR max number of clients",
        Class::CONNECTION,
        NotExecuted,
    );
}

#[tokio::test]
async fn an_ended_wait_took_nothing() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    let id = custom(&client, &["CLIENT", "ID"])
        .await
        .and_then(Value::convert::<i64>)
        .expect("the client has an id");
    let pop = tokio::spawn(async move { client.blpop::<Value, _>("list", 0.0).await });
    blocked(&server).await;
    server.command(&["CLIENT", "UNBLOCK", &id.to_string(), "ERROR"]);
    check(pop.await.expect("no panic"), "UNBLOCKED ", Class::UNBLOCKED, Permanent);
}

#[tokio::test]
async fn a_refused_connection_is_a_connection_error() {
    let mut server = RedisServer::start(&[]);
    server.kill();
    // A command that was in flight can meet the same kind during a reconnect, so this is not `NotExecuted`.
    check(connect(&client(server.port(), None)).await, "Os {", Class::CONNECTION, Unknown);
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_unknown() {
    let mut server = RedisServer::start(&[]);
    let client = connected(&server).await;
    let pop =
        tokio::spawn(async move { once(&client, LIMIT).blpop::<Value, _>("list", 0.0).await });
    blocked(&server).await;
    server.kill();
    check(pop.await.expect("no panic"), "", Class::CONNECTION, Unknown);
}

/// The pause holds the command back in the server, which executes it afterwards: nothing but `Unknown` is true.
#[tokio::test]
async fn a_timeout_is_unknown() {
    let server = RedisServer::start(&[]);
    let client = connected(&server).await;
    server.command(&["CLIENT", "PAUSE", "300"]);
    let increment: FredResult<i64> = once(&client, Duration::from_millis(50)).incr("counter").await;
    check(increment, "Request timed out.", Class::TIMEOUT, Unknown);
    assert_eq!(client.get::<i64, _>("counter").await, Ok(1));
}

#[tokio::test]
async fn a_command_before_the_connection_is_not_executed() {
    let server = RedisServer::start(&[]);
    let impatient = Options { fail_fast: true, ..Options::default() };
    let get: FredResult<Value> =
        client(server.port(), None).with_options(&impatient).get("key").await;
    check(get, "Connection closed unexpectedly.", Class::CONNECTION, NotExecuted);
}

/// The increment ran, and then its reply was lost: sending it again would count twice.
#[tokio::test]
async fn an_unknown_outcome_is_not_repeated_by_default() {
    #[retryable(policy = constant(delay = "1ms", retries = 5))]
    async fn increment(client: &Client) -> FredResult<i64> {
        let _: i64 = client.incr("counter").await?;
        Err(Error::from(io::Error::from(io::ErrorKind::ConnectionReset)))
    }
    let server = RedisServer::start(&[]);
    let lost = increment(&connected(&server).await).await;
    check(lost, "", Class::CONNECTION, Unknown);
    assert_eq!(server.command(&["GET", "counter"]), "$1\r\n1\r\n");
}

/// The seed's decorator: connection errors are retried while the server is away.
#[tokio::test]
async fn a_call_survives_a_server_that_comes_back() {
    #[retryable(policy = constant(delay = "100ms", retries = 100), on = Class::CONNECTION | Class::TIMEOUT)]
    async fn push(client: &Client) -> FredResult<i64> {
        client.lpush("list", vec![1, 2, 3]).await
    }
    let mut server = RedisServer::start(&[]);
    let reconnecting = {
        let mut builder = Builder::from_config(redis(server.port()));
        builder.set_policy(ReconnectPolicy::new_constant(0, 20));
        builder.with_performance_config(|performance| {
            performance.default_command_timeout = Duration::from_millis(200);
        });
        builder.build().expect("the configuration is complete")
    };
    connect(&reconnecting).await.expect("the server is up");
    server.kill();
    let call = tokio::spawn({
        let client = reconnecting.clone();
        async move { push(&client).await }
    });
    sleep(Duration::from_millis(300)).await;
    server.restart();
    assert_eq!(timeout(LIMIT, call).await.expect("in time").expect("no panic"), Ok(3));
}
