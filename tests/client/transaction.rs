//! Transactions and scripts: executed once, or not at all.

use std::time::Duration;

use retry_runtime::{ErrorClass, RetryPolicy, fred::Script, policy::Idempotence};
use retry_tests::{Bench, Fault};

async fn bench() -> Bench {
    let bench = Bench::builder().await.reconnect_at_once().command_timeout(Duration::from_secs(2));
    bench.wrap_connected(RetryPolicy::constant(Duration::from_millis(20)).retries(5)).await
}

#[tokio::test]
async fn a_transaction_is_executed_as_one() {
    let bench = bench().await;
    let transaction = bench.client.multi();
    transaction.incr::<(), _>("counter").await.expect("queued");
    transaction.lpush::<(), _, _>("list", vec![1, 2]).await.expect("queued");
    assert_eq!(bench.value("counter"), "");
    assert_eq!(transaction.exec(false).await, Ok((1, 2)));
    assert_eq!((bench.proxy.sent("MULTI"), bench.proxy.sent("EXEC")), (1, 1));
}

/// fred sends `EXEC` twice here, whatever its options say.
#[tokio::test]
async fn a_transaction_whose_reply_is_lost_is_executed_once() {
    let bench = bench().await;
    bench.proxy.inject("EXEC", Fault::LoseReply, 9);
    let transaction = bench.client.multi();
    transaction.incr::<(), _>("counter").await.expect("queued");
    transaction.exec::<Vec<i64>>(false).await.expect_err("the reply is lost");
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("EXEC")), ("1", 1));
}

#[tokio::test]
async fn a_transaction_of_safe_commands_is_replayed() {
    let bench = bench().await;
    bench.proxy.inject("EXEC", Fault::LoseReply, 2);
    let transaction = bench.client.multi();
    transaction.set::<(), _, _>("key", "a", None, None, false).await.expect("queued");
    transaction.get::<(), _>("key").await.expect("queued");
    assert_eq!(transaction.exec(false).await, Ok(("OK".to_owned(), "a".to_owned())));
    assert_eq!(bench.proxy.sent("EXEC"), 3);
}

/// A server without memory refuses to queue writes, and so the transaction; when there is memory again, it passes.
#[tokio::test]
async fn a_refused_transaction_is_retried() {
    let bench = bench().await;
    bench.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let patient_policy = RetryPolicy::constant(Duration::from_millis(20)).retries(200);
    let transaction = bench.client.with_policy(patient_policy).multi();
    transaction.incr::<(), _>("counter").await.expect("queued");
    let patient = async { transaction.exec::<Vec<i64>>(false).await };
    let relief = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    };
    let (result, _) = tokio::join!(patient, relief);
    assert_eq!((result, bench.value("counter").as_str()), (Ok(vec![1]), "1"));
    assert!(bench.proxy.sent("EXEC") > 1);
}

#[tokio::test]
async fn a_transaction_with_a_wrong_command_is_refused_once() {
    let bench = bench().await;
    let transaction = bench.client.multi();
    transaction.incr::<(), _>("counter").await.expect("queued");
    let wrong = fred::types::CustomCommand::new_static("INCR", None, false);
    transaction.custom::<(), String>(wrong, vec![]).await.expect("queued");
    let error = transaction.exec::<Vec<i64>>(false).await.expect_err("no key");
    assert!(ErrorClass::SERVER_ERROR.matches(&error), "{error:?}");
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("EXEC")), ("", 1));
}

#[tokio::test]
async fn an_error_inside_means_that_the_rest_was_executed() {
    let bench = bench().await;
    bench.server.command(&["SET", "text", "x"]);
    let transaction =
        bench.client.with_policy(RetryPolicy::exponential().on(ErrorClass::ANY)).multi();
    transaction.incr::<(), _>("counter").await.expect("queued");
    transaction.incr::<(), _>("text").await.expect("queued");
    transaction.exec::<Vec<i64>>(false).await.expect_err("not a number");
    assert_eq!((bench.value("counter").as_str(), bench.proxy.sent("EXEC")), ("1", 1));
}

fn count(idempotence: Idempotence) -> Script {
    Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])", idempotence)
}

#[tokio::test]
async fn a_script_is_loaded_when_it_is_needed_and_uses_up_no_retry() {
    let bench = bench().await;
    let never = bench.client.with_policy(RetryPolicy::constant(Duration::ZERO).retries(0));
    let script = count(Idempotence::NotIdempotent);
    assert_eq!(never.run_script::<i64, _, _>(&script, "counter", 2).await, Ok(2));
    assert_eq!(never.run_script::<i64, _, _>(&script, "counter", 2).await, Ok(4));
    assert_eq!((bench.proxy.sent("EVAL"), bench.proxy.sent("EVALSHA")), (1, 1));
    bench.server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(never.run_script::<i64, _, _>(&script, "counter", 2).await, Ok(6));
    assert_eq!((bench.proxy.sent("EVAL"), bench.proxy.sent("EVALSHA")), (2, 2));
}

#[tokio::test]
async fn a_script_is_replayed_only_if_its_author_says_so() {
    for (idempotence, runs) in [(Idempotence::NotIdempotent, 1), (Idempotence::Idempotent, 2)] {
        let bench = bench().await;
        let script = count(idempotence);
        bench.proxy.inject("EVAL", Fault::LoseReply, 1);
        let _ = bench.client.run_script::<i64, _, _>(&script, "counter", 1).await;
        assert_eq!(bench.value("counter"), runs.to_string());
    }
}

/// What the script did before its error stays done.
#[tokio::test]
async fn an_error_of_a_script_is_not_retried_whatever_the_policy_names() {
    let bench = bench().await;
    let any = bench.client.with_policy(RetryPolicy::constant(Duration::ZERO).on(ErrorClass::ANY));
    let code = "redis.call('INCR', KEYS[1]) return redis.error_reply('ERR broken')";
    any.eval::<(), _, _, _>(code, "counter", ()).await.expect_err("the script fails");
    let script = Script::new(code, Idempotence::NotIdempotent);
    any.run_script::<(), _, _>(&script, "counter", ()).await.expect_err("the script fails");
    assert_eq!(bench.value("counter"), "2");
}
