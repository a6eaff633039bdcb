use std::io;

use retry_runtime::retryable;

#[retryable(base_delay = "1s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
