use std::io;

use retry_runtime::retryable;

#[retryable]
async fn push() -> io::Result<u32> {
    Ok::<u32, io::Error>(1);
}

fn main() {
    let _ = push;
}
