use std::io;

use retry_runtime::retryable;

#[retryable(policy = never(), retries = 3)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
