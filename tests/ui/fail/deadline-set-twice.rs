use std::io;

use retry_runtime::retryable;

#[retryable(deadline = "1m", policy = composite(constant(delay = "1s"), deadline = "30s"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
