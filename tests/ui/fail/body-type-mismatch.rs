use std::io;

use retry_runtime::retryable;

#[retryable]
async fn push(empty: bool) -> io::Result<u32> {
    if empty {
        return Ok("none");
    }
    Ok(1)
}

fn main() {
    let _ = push;
}
