use std::io;

use retry_runtime::retryable;

#[retryable]
async fn push() -> io::Result<u32> {
    let count = ;
    Ok(count)
}

fn main() {
    let _ = push;
}
