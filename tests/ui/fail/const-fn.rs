use std::io;

use retry_runtime::retryable;

#[retryable]
const fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
