use std::io;

use retry_runtime::retryable;

#[retryable(policy = constant("1s"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
