use std::io;

use retry_runtime::retryable;

#[retryable(policy = if fast { exponential(retries = 1) } else { exponential(retries = 9) })]
async fn push(fast: bool) -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push(true);
}
