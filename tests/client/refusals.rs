//! Error texts that prove nothing: what a script makes up, and what one command of several was told.

use std::time::Duration;

use fred::{
    prelude::*,
    types::{ClusterHash, CustomCommand},
};
use retry_runtime::{
    Classify, Constant, Disposition, ErrorClass, RetryPolicy,
    fred::{RetryClient, Script},
    policy::Idempotence,
    retryable,
};
use retry_tests::Bench;

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(1)).retries(3);

/// Every first word that the server or fred uses for a refusal, in their own words, and words of other servers.
const REFUSALS: &[&str] = &[
    "NOSCRIPT No matching script. Please use EVAL.",
    "NOSCRIPT No matching script.",
    "NOSCRIPT of an inner engine",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "BUSY no worker is free",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "EXECABORT Transaction discarded because of previous errors.",
    "UNBLOCKED client unblocked via CLIENT UNBLOCK",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "LOADING Redis is loading the dataset in memory",
    "LOADING Dragonfly is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "CLUSTERDOWN The cluster is down",
    "NOAUTH Authentication required.",
    "ERR max number of clients reached",
    "Client is not initialized.",
    "Failed to send command to router.",
    "Failed to route command.",
    "Connection closed unexpectedly.",
    "Too many redirections.",
    "Max attempts reached.",
    "A watched key changed.",
];

/// Writes, and then answers the error that it is given.
const WRITES: &str = "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])";

const WRITES_IN_A_FUNCTION: &str = "#!lua name=tests
    redis.register_function('writes', function(keys, args)
        redis.call('INCR', keys[1]) return redis.error_reply(args[1])
    end)";

async fn bench() -> Bench {
    let bench = Bench::builder().await.reconnect_at_once().connect(POLICY).await;
    // Many failures one after the other are no outage here.
    Bench { client: bench.client.without_budgets(), ..bench }
}

fn counter(bench: &Bench) -> u64 {
    bench.server.number(&["GET", "counter"])
}

/// The ways to run a script.
#[derive(Debug, Clone, Copy)]
enum Way {
    RunScript,
    Eval,
    EvalSha,
    Fcall,
    Custom,
    All,
    Last,
    TryAll,
    Exec,
}

const WAYS: [Way; 9] = [
    Way::RunScript,
    Way::Eval,
    Way::EvalSha,
    Way::Fcall,
    Way::Custom,
    Way::All,
    Way::Last,
    Way::TryAll,
    Way::Exec,
];

impl Way {
    async fn run(self, client: &RetryClient, script: &Script, refusal: &'static str) -> Error {
        let answer: FredResult<Value> = match self {
            Self::RunScript => client.run_script(script, "counter", refusal).await,
            Self::Eval => client.eval(WRITES, "counter", refusal).await,
            Self::EvalSha => {
                let hash: String = client.script_load(WRITES).await.expect("loaded");
                client.evalsha(hash, "counter", refusal).await
            }
            Self::Fcall => client.fcall("writes", "counter", refusal).await,
            Self::Custom => {
                let eval = CustomCommand::new_static("EVAL", ClusterHash::Offset(2), false);
                client.custom(eval, vec![WRITES, "1", "counter", refusal]).await
            }
            Self::All | Self::Last | Self::TryAll => {
                let pipeline = client.pipeline();
                pipeline.eval::<(), _, _, _>(WRITES, "counter", refusal).await.expect("queued");
                match self {
                    Self::All => pipeline.all().await,
                    Self::Last => pipeline.last().await,
                    _ => pipeline.try_all().await.pop().expect("one result"),
                }
            }
            Self::Exec => {
                let multi = client.multi();
                multi.eval::<(), _, _, _>(WRITES, "counter", refusal).await.expect("queued");
                multi.exec(false).await
            }
        };
        answer.expect_err("the script answers an error")
    }
}

/// Runs every refusal in every way, and returns the cases that were executed more often than expected, or told wrongly.
async fn every_pair(bench: &Bench, client: &RetryClient, idempotence: Idempotence) -> String {
    bench.server.command(&["FUNCTION", "LOAD", "REPLACE", WRITES_IN_A_FUNCTION]);
    let script = Script::new(WRITES, idempotence);
    let mut wrong = String::new();
    for refusal in REFUSALS {
        for way in WAYS {
            bench.server.command(&["DEL", "counter"]);
            let error = way.run(client, &script, refusal).await;
            let (executed, told) = (counter(bench), error.disposition());
            if executed != 1 || told == Disposition::NotExecuted {
                wrong += &format!("{way:?} {refusal}: executed {executed} times, {told:?}\n");
            }
        }
    }
    wrong
}

#[tokio::test]
async fn a_script_that_makes_up_a_refusal_is_executed_once() {
    let bench = bench().await;
    let wrong = every_pair(&bench, &bench.client, Idempotence::NotIdempotent).await;
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Even one that its author declares idempotent.
#[tokio::test]
async fn a_script_that_makes_up_a_refusal_is_executed_at_most_once() {
    let bench = bench().await;
    let client = bench.client.at_most_once();
    let wrong = every_pair(&bench, &client, Idempotence::Idempotent).await;
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test]
async fn consent_repeats_a_script_that_answers_a_refusal() {
    let bench = bench().await;
    let busy = "BUSY no worker is free";
    let client = bench.client.idempotent();
    let error = Way::Eval.run(&client, &Script::new(WRITES, Idempotence::Idempotent), busy).await;
    assert_eq!((counter(&bench), ErrorClass::of(&error)), (4, ErrorClass::BUSY));
    assert!(error.details().starts_with(busy), "{error}");
}

#[tokio::test]
async fn around_a_script_that_makes_up_a_refusal_nothing_is_repeated() {
    #[retryable(policy = constant(delay = "1ms", retries = 3))]
    async fn work(client: &RetryClient) -> FredResult<Value> {
        client.eval(WRITES, "counter", "BUSY no worker is free").await
    }
    let bench = bench().await;
    work(&bench.client).await.expect_err("the script answers an error");
    assert_eq!(counter(&bench), 1);
}

/// A hash that the server does not know is a refusal; whoever names it loads the script and is answered.
#[tokio::test]
async fn a_hook_loads_a_script_that_the_server_does_not_know() {
    let bench = bench().await;
    let code = "return redis.call('INCR', KEYS[1])";
    let hash: String = bench.client.script_load(code).await.expect("loaded");
    bench.server.command(&["SCRIPT", "FLUSH"]);
    let error = bench.client.evalsha::<i64, _, _, _>(&hash, "counter", ()).await;
    let error = error.expect_err("the script is unknown");
    assert_eq!(error.disposition(), Disposition::NotExecuted);
    let loading = bench.client.on_failure(async |_| bench.client.script_load::<(), _>(code).await);
    assert_eq!(loading.evalsha(&hash, "counter", ()).await, Ok(1));
    assert_eq!((counter(&bench), bench.server.executed("evalsha")), (1, 6));
}

/// Its answer may be its own, so the server is asked whether it knows the script.
#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_by_its_text() {
    let bench = bench().await;
    let client = bench.client.at_most_once();
    let script = Script::new("return redis.call('INCR', KEYS[1])", Idempotence::NotIdempotent);
    for counter in 1..=4 {
        assert_eq!(client.run_script(&script, "counter", ()).await, Ok(counter));
        bench.server.command(&["SCRIPT", "FLUSH"]);
    }
}

/// The pipeline of an order: the first command is executed, the second refused.
async fn order(client: &RetryClient) -> FredResult<Value> {
    let pipeline = client.pipeline();
    pipeline.rpush::<(), _, _>("orders", "one").await?;
    pipeline.evalsha::<(), _, _, _>("f".repeat(40), "key", ()).await?;
    pipeline.all().await
}

#[tokio::test]
async fn a_pipeline_executed_in_part_says_so_to_all() {
    #[retryable(policy = constant(delay = "1ms", retries = 3))]
    async fn retried(client: &RetryClient) -> FredResult<Value> {
        order(client).await
    }
    let bench = bench().await;
    let told = std::sync::Mutex::new(None);
    let hooked =
        bench.client.on_give_up(async |end| *told.lock().expect("free") = Some(end.disposition()));
    let pipeline = hooked.pipeline();
    pipeline.rpush::<(), _, _>("orders", "one").await.expect("queued");
    pipeline.evalsha::<(), _, _, _>("f".repeat(40), "key", ()).await.expect("queued");
    let error = pipeline.all::<Value>().await.expect_err("refused in part");
    assert_eq!(
        (error.disposition(), ErrorClass::of(&error)),
        (Disposition::Unknown, ErrorClass::NO_SCRIPT)
    );
    assert!(error.details().starts_with("NOSCRIPT No matching script."), "{error}");
    assert_eq!(*told.lock().expect("free"), Some(Disposition::Unknown));
    retried(&bench.client).await.expect_err("refused in part");
    assert_eq!(bench.server.number(&["LLEN", "orders"]), 2);
}

/// Memory is refused to the first command; the second needs none.
#[tokio::test]
async fn a_pipeline_whose_last_command_was_executed_is_not_repeated_around() {
    #[retryable(policy = constant(delay = "1ms", retries = 3))]
    async fn retried(client: &RetryClient) -> FredResult<Value> {
        let pipeline = client.pipeline();
        pipeline.set::<(), _, _>("text", "long", None, None, false).await?;
        pipeline.rpop::<(), _>("jobs", None).await?;
        pipeline.all().await
    }
    let bench = bench().await;
    bench.server.command(&["RPUSH", "jobs", "1", "2", "3", "4", "5", "6"]);
    bench.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = retried(&bench.client).await.expect_err("no memory");
    assert_eq!(ErrorClass::of(&error), ErrorClass::OOM);
    assert_eq!(bench.server.number(&["LLEN", "jobs"]), 5);
}

/// What was refused as a whole may be repeated as a whole.
#[tokio::test]
async fn a_pipeline_of_which_nothing_was_executed_is_not_executed() {
    let bench = bench().await;
    bench.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let pipeline = bench.client.pipeline();
    for key in ["a", "b"] {
        pipeline.incr::<(), _>(key).await.expect("queued");
    }
    let error = pipeline.all::<Value>().await.expect_err("no memory");
    assert_eq!(error.disposition(), Disposition::NotExecuted);
    assert_eq!(bench.server.refused("OOM"), 8);
}

/// `EXEC` answers the refusal of one command among the answers of those that were executed.
#[tokio::test]
async fn a_transaction_with_a_refusal_inside_was_executed() {
    let bench = bench().await;
    bench.server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let script = "redis.pcall('SET', KEYS[1], 1) return redis.pcall('SET', KEYS[1], 2)";
    let multi = bench.client.multi();
    multi.eval::<(), _, _, _>(script, "text", ()).await.expect("queued");
    let error = multi.exec::<Value>(false).await.expect_err("no replicas");
    assert_ne!(error.disposition(), Disposition::NotExecuted);
    assert_eq!(bench.server.executed("exec"), 1);
}
