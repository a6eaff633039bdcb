use std::io;

use retry_runtime::retryable;

#[retryable(on_ok = true)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
