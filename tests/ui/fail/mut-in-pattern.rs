use std::io;

use retry_runtime::retryable;

#[retryable]
async fn push((mut count, _): (u32, u32)) -> io::Result<u32> {
    count += 1;
    Ok(count)
}

fn main() {
    let _ = push;
}
