use std::io;

use retry_runtime::retryable;

#[retryable(deadline = "1s", retry_for = "30s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
