//! A fred client on which every command is retried.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{ErrorClass, RetryPolicy, fred::WithRetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let client = Builder::from_config(Config::from_url(&server.url())?)
        .set_policy(ReconnectPolicy::new_constant(0, 100))
        .build()?
        .with_retry(RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9));
    client.init().await?;

    let visits: i64 = client.incr("visits").await?;
    println!("visit {visits}, counted once whatever happens");

    server.kill()?;
    server.restart()?;
    client.set::<(), _, _>("mylist", "not a list", None, None, false).await?;
    let repair = RetryPolicy::constant(Duration::ZERO).retries(1).on(ErrorClass::WRONG_TYPE);
    let length: i64 = client
        .with_policy(repair)
        .on_failure(async |_| client.del::<(), _>("mylist").await)
        .lpush("mylist", vec![1, 2, 3])
        .await?;
    println!("set through a restart, repaired and pushed: the list holds {length} values");

    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("visits").await?;
    pipeline.llen::<(), _>("mylist").await?;
    let (visits, length): (i64, i64) = pipeline.all().await?;
    println!("visit {visits}, {length} values, at once");
    Ok(())
}
