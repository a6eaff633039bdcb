use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(factor = 0.5))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
