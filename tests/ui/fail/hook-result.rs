use std::io;

use retry_runtime::retryable;

#[retryable(on_failure = |_| 5u32)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
