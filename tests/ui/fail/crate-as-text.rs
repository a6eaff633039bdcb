use std::io;

use retry_runtime::retryable;

#[retryable(crate = "retry_runtime")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
