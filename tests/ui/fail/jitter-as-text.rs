use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(jitter = "full"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
