use std::io;

use retry_runtime::retryable;

#[retryable(attempt = "number")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
