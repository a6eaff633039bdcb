use std::io;

use retry_runtime::{RetryPolicy, retryable};

const PUSH: RetryPolicy = RetryPolicy::exponential();

#[retryable(blocking, policy = PUSH, attempt_timeout = "5s")]
fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
