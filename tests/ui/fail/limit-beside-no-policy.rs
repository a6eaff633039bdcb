use std::io;

use retry_runtime::retryable;

const NUMBER: u32 = 3;

#[retryable(policy = NUMBER, deadline = "1s")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
