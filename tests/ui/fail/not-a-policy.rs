use std::io;

use retry_runtime::retryable;

#[retryable(policy = u32::MAX)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
