use std::io;

use retry_runtime::retryable;

async fn send(value: String) -> io::Result<usize> {
    Ok(value.len())
}

#[retryable]
async fn push(value: String) -> io::Result<usize> {
    send(value).await
}

fn main() {
    let _ = push;
}
