use std::io;

use retry_runtime::retryable;

#[retryable(retry_for = "0s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
