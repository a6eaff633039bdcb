use std::io;

use retry_runtime::retryable;

#[retryable(policy = exponential(factor = 0.5, base_delay = "5s", max_delay = "1s"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
