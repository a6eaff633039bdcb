//! Several commands at once: as a pipeline, as a transaction, and as a transaction that depends on what it reads.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{RetryPolicy, fred::RetryClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9);
    let client = RetryClient::connect(Config::from_url(&server.url())?, policy).await?;

    let pipeline = client.pipeline();
    pipeline.set::<(), _, _>("stock", 3, None, None, false).await?;
    pipeline.get::<(), _>("stock").await?;
    println!(
        "a repeat of the pipeline is {}, so a lost connection costs nothing",
        pipeline.replay()
    );
    server.kill()?;
    server.restart()?;
    let (_, stock): (String, i64) = pipeline.all().await?;
    println!("{stock} in stock, set through a restart");

    pipeline.lpush::<(), _, _>("stock", "not a list").await?;
    for (number, result) in (1..).zip(pipeline.try_all::<Value>().await) {
        match result {
            Ok(value) => println!("command {number}: {value:?}"),
            Err(error) => println!("command {number}: {}", error.details()),
        }
    }

    let sale = client.multi();
    sale.decr::<(), _>("stock").await?;
    sale.rpush::<(), _, _>("sales", "one").await?;
    let (stock, sales): (i64, i64) = sale.exec(false).await?;
    println!("{stock} in stock and {sales} sold, both or neither, and never twice");

    let (_, stock): (String, i64) = client
        .transaction("stock", |watched, multi| async move {
            let stock: i64 = watched.get("stock").await?;
            multi.set::<(), _, _>("stock", stock * 10, None, None, false).await?;
            multi.get::<(), _>("stock").await
        })
        .await?;
    println!(
        "{stock} in stock; if somebody had sold one in between, it would have been made again"
    );
    Ok(())
}
