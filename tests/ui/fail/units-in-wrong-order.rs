use std::io;

use retry_runtime::retryable;

#[retryable(policy = constant(delay = "30m1h"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
