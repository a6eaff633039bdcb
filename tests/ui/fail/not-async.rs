use std::io;

use retry_runtime::retryable;

#[retryable]
fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
