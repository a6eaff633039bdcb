use std::io;

use retry_runtime::retryable;

#[retryable(nested = "inner_only")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
