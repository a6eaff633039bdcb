//! A script that is loaded when a server does not know it, and whose author says whether it may run twice.

use std::time::Duration;

use fred::prelude::*;
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, Script},
    policy::Idempotence,
};

/// Keeps the highest of all values; a repeat changes nothing.
const RAISE: &str = "
local highest = tonumber(redis.call('GET', KEYS[1]) or 0)
if tonumber(ARGV[1]) > highest then
  redis.call('SET', KEYS[1], ARGV[1])
  return tonumber(ARGV[1])
end
return highest";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9);
    let client = RetryClient::connect(Config::from_url(&server.url())?, policy).await?;

    let raise = Script::new(RAISE, Idempotence::Idempotent);
    let highest: i64 = client.run_script(&raise, "highest", 7).await?;
    println!("the highest is {highest}; the script was loaded and is known by its hash");

    client.script_flush(false).await?;
    let highest: i64 = client.run_script(&raise, "highest", 5).await?;
    println!("still {highest}; the server had forgotten the script and got its text");

    server.kill()?;
    server.restart()?;
    let highest: i64 = client.run_script(&raise, "highest", 5).await?;
    println!(
        "{highest} on a new server; after a lost connection it may be sent again, as its author said"
    );

    let count = Script::new("return redis.call('INCR', KEYS[1])", Idempotence::NotIdempotent);
    let runs: i64 = client.run_script(&count, "runs", ()).await?;
    println!("run {runs}; this one is never sent again unless the server says that it was not run");
    Ok(())
}
