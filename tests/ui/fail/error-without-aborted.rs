use retry_runtime::{CircuitBreaker, retryable};

#[derive(Debug)]
struct PushError;

#[retryable(breaker = breaker, on = |_| true)]
async fn push(breaker: &CircuitBreaker) -> Result<(), PushError> {
    Err(PushError)
}

fn main() {
    let _ = push(&CircuitBreaker::new());
}
