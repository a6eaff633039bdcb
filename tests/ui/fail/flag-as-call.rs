use std::io;

use retry_runtime::retryable;

#[retryable(idempotent(true))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
