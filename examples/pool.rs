//! A pool: calls share several connections, and go on when one of them is lost.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{RetryPolicy, fred::WithRetry};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let pool = Builder::from_config(Config::from_url(&server.url())?)
        .set_policy(ReconnectPolicy::new_constant(0, 100))
        .build_pool(4)?
        .with_retry(RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9));
    pool.init().await?;

    let calls = (0..100).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.incr::<i64, _>("visits").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await??;
    }
    let visits: i64 = pool.get("visits").await?;
    println!("{visits} visits over {} connections", pool.fred().size());

    server.kill()?;
    server.restart()?;
    pool.set::<(), _, _>("greeting", "hello", None, None, false).await?;
    let greeting: String = pool.get("greeting").await?;
    println!("{greeting} again, after all connections were lost");
    Ok(())
}
