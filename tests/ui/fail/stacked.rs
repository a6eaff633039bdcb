use std::io;

use retry_runtime::retryable;

#[retryable]
#[retryable(policy = never())]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
