use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(retries = 3), retries = 5)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
