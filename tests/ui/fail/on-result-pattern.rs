use std::io;

use retry_runtime::retryable;

#[retryable(on = Err(io::ErrorKind::TimedOut))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
