use std::io;

use retry_runtime::retryable;

#[retryable(deadline = "1m", deadline = "30s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
