use std::io;

use retry_runtime::retryable;

#[retryable(policy = fixed(delay = "1s"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
