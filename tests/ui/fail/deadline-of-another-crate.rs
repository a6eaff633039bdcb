use std::io;

use retry_runtime::retryable;

#[retryable(max_elapsed_time = "1m")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
