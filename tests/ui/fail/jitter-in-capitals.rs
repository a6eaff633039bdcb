use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(jitter = Full))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
