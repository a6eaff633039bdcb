//! A job queue: a worker that blocks on a connection of its own, beside the client for everything else.
//!
//! - A blocking command holds up everything behind it on its connection. So the worker has its own client.
//! - `BLMOVE` takes a job and parks it in one step. If the reply is lost, the job is parked all the same, and the worker
//!   puts it back when it starts again. No job is lost, but one can be done twice: that must do no harm.
//! - A pop that finds nothing is an answer, not a failure: it is `None` where the reply type is an `Option`.

mod server;

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
/// Where this worker parks the job that it works on.
const PARKED: &str = "jobs:worker-1";

/// Does jobs until it is stopped; starts again after a failure, however often.
#[retryable(
    policy = exponential(retries = unlimited, max_delay = "5s"),
    reset_after = "30s",
    idempotent, // because it begins with what was left undone
    cancel = stop,
    on_failure = |failure| println!("the worker starts again in {:?}: {failure}", failure.delay()),
)]
async fn work(
    queue: &RetryClient,
    client: &RetryClient,
    stop: &CancellationToken,
) -> FredResult<()> {
    while let Some(job) = queue.lmove::<Option<String>, _, _>(PARKED, JOBS, Left, Left).await? {
        println!("put back what was left undone: {job}");
    }
    // Dropping a `BLMOVE` to stop sooner could park a job that nobody works on: it ends within its second.
    while !stop.is_cancelled() {
        let job: Option<String> = queue.blmove(JOBS, PARKED, Left, Right, 1.0).await?;
        let Some(job) = job else { continue };
        handle(client, &job).await?;
        queue.lrem::<(), _, _>(PARKED, 1, job).await?;
    }
    Ok(())
}

/// Does a job: twice is as good as once.
async fn handle(client: &RetryClient, job: &str) -> FredResult<()> {
    client.set(format!("done:{job}"), true, None, None, false).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(5);
    let client = RetryClient::connect_url(&server.url(), policy).await?;
    let queue =
        RetryClient::connect_url(&format!("redis://127.0.0.1:{}", proxy.port()), policy).await?;

    // Other reply types have no place for nothing, so they get an error, which differs from a timeout.
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
    println!("the worker blocks, and a command beside it took {:?}", begin.elapsed());

    client.rpush::<(), _, _>(JOBS, vec!["tea", "milk"]).await?;
    sleep(Duration::from_millis(100)).await;
    // The server parks the next job, and its answer is lost.
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
    assert_eq!(queue.statistics().failed, 1, "empty pops are no failures");
    Ok(())
}
