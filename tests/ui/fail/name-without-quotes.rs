use std::io;

use retry_runtime::retryable;

#[retryable(name = push)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
