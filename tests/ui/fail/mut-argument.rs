use std::io;

use retry_runtime::retryable;

#[retryable]
async fn push(mut count: u32) -> io::Result<u32> {
    count += 1;
    Ok(count)
}

fn main() {
    let _ = push;
}
