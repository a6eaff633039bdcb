use std::io;

use retry_runtime::retryable;

#[retryable(backoff = exponential())]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
