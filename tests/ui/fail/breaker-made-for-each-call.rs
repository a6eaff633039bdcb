use std::io;

use retry_runtime::{CircuitBreaker, retryable};

#[retryable(breaker = CircuitBreaker::builder().minimum_calls(5).build().unwrap())]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
