use std::io;

use retry_runtime::retryable;

#[retryable(policy = constant(delay = "10s"), retry_for = "5s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
