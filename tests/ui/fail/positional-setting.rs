use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(3))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
