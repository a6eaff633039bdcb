//! A job queue that loses no job: its worker blocks on a connection of its own.
//!
//! - A blocking command holds up every command behind it on its connection. The worker therefore has its own client.
//! - `BLMOVE` takes a job and parks it in one step. If its reply is lost, the job is still parked, and the worker puts it
//!   back when it starts again. So a job can run twice, and must be written for that.
//! - A pop that finds nothing is not a failure: the client returns `None` if the reply type is an `Option`.

use std::time::{Duration, Instant};

use fred::{
    prelude::*,
    types::lists::LMoveDirection::{Left, Right},
};
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, found_nothing},
    retryable,
    testing::{Fault, FaultProxy},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const JOBS: &str = "jobs";
/// Where this worker parks the job that it is working on.
const PARKED: &str = "jobs:worker-1";

/// Works until it is stopped; a failure makes it start again.
#[retryable(
    policy = exponential(retries = unlimited, max_delay = "5s"),
    reset_after = "30s",
    idempotent, // each start puts back the job that the last one left
    cancel = stop,
    on_failure = |failure| println!("the worker starts again in {:?}: {failure}", failure.delay()),
)]
async fn work(
    queue: &RetryClient,
    client: &RetryClient,
    stop: &CancellationToken,
) -> FredResult<()> {
    while let Some(job) = queue.lmove::<Option<String>, _, _>(PARKED, JOBS, Left, Left).await? {
        println!("put back: {job}");
    }
    // A `BLMOVE` that is dropped can still take a job, so the worker waits for it: one second at most.
    while !stop.is_cancelled() {
        let job: Option<String> = queue.blmove(JOBS, PARKED, Left, Right, 1.0).await?;
        let Some(job) = job else { continue };
        handle(client, &job).await?;
        queue.lrem::<(), _, _>(PARKED, 1, job).await?;
    }
    Ok(())
}

/// Does a job, in a way that allows it to run twice.
async fn handle(client: &RetryClient, job: &str) -> FredResult<()> {
    client.set(format!("done:{job}"), true, None, None, false).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = retry_server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(5);
    let client = RetryClient::connect_url(&server.url(), policy).await?;
    let queue =
        RetryClient::connect_url(&format!("redis://127.0.0.1:{}", proxy.port()), policy).await?;

    // A `String` cannot be nothing: here the client returns an error that `found_nothing` recognizes.
    let nothing = queue.blmove::<String, _, _>(JOBS, PARKED, Left, Right, 0.1).await.unwrap_err();
    assert!(found_nothing(&nothing));
    println!("the queue is empty");

    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (queue, client, stop) = (queue.clone(), client.clone(), stop.clone());
        async move { work(&queue, &client, &stop).await }
    });
    sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    client.ping::<()>(None).await?;
    println!("while the worker blocks, the other client answers within {:?}", begin.elapsed());

    client.rpush::<(), _, _>(JOBS, vec!["tea", "milk"]).await?;
    sleep(Duration::from_millis(100)).await;
    // The server parks a job, and its reply is lost.
    proxy.inject("BLMOVE", Fault::LoseReply, 1);
    client.rpush::<(), _, _>(JOBS, vec!["bread", "salt", "eggs"]).await?;
    while client.get::<Option<bool>, _>("done:eggs").await?.is_none() {
        sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    worker.await??;

    let done: Vec<Option<bool>> = client
        .mget(["tea", "milk", "bread", "salt", "eggs"].map(|job| format!("done:{job}")).to_vec())
        .await?;
    let (waiting, parked): (u64, u64) = (client.llen(JOBS).await?, client.llen(PARKED).await?);
    println!("{done:?} done, {waiting} waiting, {parked} parked");
    assert_eq!((done, waiting, parked), (vec![Some(true); 5], 0, 0));
    assert_eq!(queue.statistics().failed, 1, "only the lost reply is a failure");
    Ok(())
}
