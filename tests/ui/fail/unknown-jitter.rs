use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(jitter = ful))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
