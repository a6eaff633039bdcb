use std::io;

use retry_runtime::retryable;

#[retryable(on = 5)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
