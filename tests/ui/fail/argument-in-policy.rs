use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(on_retry = |_| ()))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
