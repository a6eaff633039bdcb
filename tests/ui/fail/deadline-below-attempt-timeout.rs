use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(deadline = "1s", attempt_timeout = "30s"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
