//! Pipelines: what the server executed when they fail as a whole, or in part.

use std::{sync::Mutex, time::Duration};

use fred::{
    interfaces::Resp3Frame,
    prelude::*,
    types::{ClusterHash, CustomCommand},
};
use retry_runtime::{ErrorClass, GiveUpReason, RetryPolicy};
use retry_tests::{Bench, Fault};

async fn bench() -> Bench {
    let bench = Bench::builder().await.reconnect_at_once().command_timeout(Duration::from_secs(2));
    bench.wrap_connected(RetryPolicy::constant(Duration::from_millis(20)).retries(5)).await
}

#[tokio::test]
async fn commands_are_queued_and_answered_in_order() {
    let bench = bench().await;
    let pipeline = bench.client.pipeline();
    pipeline.set::<(), _, _>("a", 1, None, None, false).await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.mset(vec![("b", 3)]).await.expect("queued");
    pipeline.get::<(), _>("a").await.expect("queued");
    assert_eq!(bench.server.command(&["GET", "a"]), "$-1\r\n", "nothing is sent yet");
    assert_eq!(pipeline.all().await, Ok(("OK".to_owned(), 2, "OK".to_owned(), 2)));
    assert_eq!(pipeline.last().await, Ok(2), "the queue can be sent again");
}

#[tokio::test]
async fn a_raw_command_is_queued_too() {
    let bench = bench().await;
    let pipeline = bench.client.pipeline();
    let incr = CustomCommand::new_static("INCR", ClusterHash::FirstKey, false);
    let queued = pipeline.custom_raw(incr, vec!["a"]).await.expect("queued");
    let word = Resp3Frame::SimpleString { data: "QUEUED".into(), attributes: None };
    assert_eq!(queued, word, "as fred answers");
    assert_eq!(pipeline.all().await, Ok((1,)));
}

#[tokio::test]
async fn an_empty_pipeline_sends_nothing() {
    let bench = bench().await;
    assert_eq!(bench.client.pipeline().all::<Vec<i64>>().await, Ok(vec![]));
    assert_eq!(bench.client.pipeline().last::<Option<i64>>().await, Ok(None));
    assert!(bench.client.pipeline().try_all::<i64>().await.is_empty());
}

#[tokio::test]
async fn a_pipeline_with_one_unsafe_command_is_not_replayed_after_a_lost_reply() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::LoseReply, 9);
    let pipeline = bench.client.pipeline();
    pipeline.get::<(), _>("a").await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.all::<Vec<Value>>().await.expect_err("the reply is lost");
    assert_eq!(bench.server.command(&["GET", "a"]), "$1\r\n1\r\n");
    assert_eq!(bench.proxy.sent("INCR"), 1);
}

#[tokio::test]
async fn a_pipeline_of_safe_commands_is_replayed() {
    let bench = bench().await;
    bench.proxy.inject("GET", Fault::LoseReply, 2);
    let pipeline = bench.client.pipeline();
    pipeline.set::<(), _, _>("a", 7, None, None, false).await.expect("queued");
    pipeline.get::<(), _>("a").await.expect("queued");
    assert_eq!(pipeline.all().await, Ok(("OK".to_owned(), 7)));
    assert_eq!(bench.proxy.sent("SET"), 3);
}

/// The refusal of one command does not mean that the others were not executed.
#[tokio::test]
async fn a_pipeline_done_in_part_is_not_repeated() {
    let bench = bench().await;
    bench.proxy.inject("LPUSH", Fault::ErrorInstead("OOM command not allowed".into()), 1);
    let pipeline = bench.client.pipeline();
    pipeline.lpush::<(), _, _>("list", 1).await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    let error = pipeline.all::<Vec<i64>>().await.expect_err("the first command is refused");
    assert!(ErrorClass::OOM.matches(&error), "{error:?}");
    assert_eq!(bench.server.command(&["GET", "a"]), "$1\r\n1\r\n");
}

#[tokio::test]
async fn a_pipeline_of_which_nothing_was_executed_is_retried() {
    let bench = bench().await;
    bench.proxy.inject("LPUSH", Fault::ErrorInstead("OOM command not allowed".into()), 2);
    bench.proxy.inject("INCR", Fault::ErrorInstead("OOM command not allowed".into()), 2);
    let pipeline = bench.client.pipeline();
    pipeline.lpush::<(), _, _>("list", 1).await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    assert_eq!(pipeline.all().await, Ok((1, 1)));
    assert_eq!(bench.proxy.sent("INCR"), 3);
}

#[tokio::test]
async fn only_the_commands_that_failed_are_retried_and_results_keep_their_order() {
    let bench = bench().await;
    bench.server.command(&["SET", "text", "x"]);
    bench.proxy.inject("LPUSH", Fault::ErrorInstead("BUSY a script".into()), 2);
    let pipeline = bench.client.pipeline();
    pipeline.lpush::<(), _, _>("list", 1).await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.incr::<(), _>("text").await.expect("queued");
    let results = pipeline.try_all::<i64>().await;
    assert_eq!((&results[0], &results[1]), (&Ok(1), &Ok(1)));
    assert!(results[2].as_ref().is_err_and(|error| ErrorClass::SERVER_ERROR.matches(error)));
    assert_eq!((bench.proxy.sent("LPUSH"), bench.proxy.sent("INCR")), (3, 2));
}

#[tokio::test]
async fn after_a_lost_connection_only_safe_commands_of_a_pipeline_are_sent_again() {
    let bench = bench().await;
    bench.proxy.inject("INCR", Fault::LoseReply, 1);
    let pipeline = bench.client.pipeline();
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.get::<(), _>("a").await.expect("queued");
    let results = pipeline.try_all::<i64>().await;
    assert!(results[0].as_ref().is_err_and(|error| ErrorClass::CONNECTION.matches(error)));
    assert_eq!(results[1], Ok(1));
    assert_eq!((bench.proxy.sent("INCR"), bench.proxy.sent("GET")), (1, 1));
}

/// A repeat of what was refused does no harm, and a hook may have repaired the reason.
#[tokio::test]
async fn an_error_that_the_policy_names_is_repaired_and_only_its_command_sent_again() {
    let bench = bench().await;
    bench.server.command(&["SET", "mylist", "text"]);
    let once = RetryPolicy::constant(Duration::ZERO).retries(1).on(ErrorClass::WRONG_TYPE);
    let server = &bench.server;
    let client = bench.client.with_policy(once).on_failure(async |_| {
        server.command(&["DEL", "mylist"]);
    });
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.lpush::<(), _, _>("mylist", 1).await.expect("queued");
    assert_eq!(pipeline.try_all::<i64>().await, [Ok(1), Ok(1)]);
    assert_eq!((bench.proxy.sent("INCR"), bench.proxy.sent("LPUSH")), (1, 2));
}

#[tokio::test]
async fn a_pipeline_done_in_part_is_given_up() {
    let bench = bench().await;
    bench.proxy.inject("LPUSH", Fault::ErrorInstead("OOM command not allowed".into()), 1);
    let given_up = Mutex::new(Vec::new());
    let client = bench.client.on_give_up(async |give_up| {
        given_up.lock().expect("not poisoned").push((give_up.operation(), give_up.reason()));
    });
    let pipeline = client.pipeline();
    pipeline.lpush::<(), _, _>("list", 1).await.expect("queued");
    pipeline.incr::<(), _>("a").await.expect("queued");
    pipeline.all::<Vec<i64>>().await.expect_err("the first command is refused");
    let given_up = given_up.lock().expect("not poisoned");
    assert_eq!(*given_up, [("pipeline", GiveUpReason::NotIdempotent)]);
}

#[tokio::test]
async fn a_command_whose_arguments_are_refused_is_not_queued() {
    let bench = bench().await;
    let pipeline = bench.client.pipeline();
    pipeline.zrangebylex::<(), _, _, _>("y", 1, 2, None).await.expect_err("no range of words");
    pipeline.incr::<(), _>("a").await.expect("queued");
    assert_eq!(pipeline.all::<Vec<i64>>().await, Ok(vec![1]));
}
