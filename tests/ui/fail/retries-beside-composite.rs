use std::io;

use retry_runtime::retryable;

#[retryable(policy = composite(constant(delay = "1s"), exponential()), retries = 3)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
