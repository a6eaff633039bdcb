//! A deadline covers the whole call, the running attempt included; an attempt timeout covers one attempt.

use std::{io, time::Duration};

use retry_runtime::retryable;

#[retryable(
    policy = constant(delay = "10ms", retries = unlimited, deadline = "200ms", attempt_timeout = "50ms"),
    idempotent,
    on_failure = |failure| println!("{failure}"),
)]
async fn slow() -> io::Result<()> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{:?}", slow().await);
}
