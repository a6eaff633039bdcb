use std::io;

use retry_runtime::retryable;

#[retryable(timeout = "5s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
