use std::io;

use retry_runtime::{RetryPolicy, retryable};

const PUSH: RetryPolicy = RetryPolicy::exponential();

#[retryable(policy = PUSH, retries = unlimited)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
