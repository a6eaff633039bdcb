use retry_runtime::{RetryPolicy, retryable};

const PUSH: RetryPolicy = RetryPolicy::exponential();

#[derive(Debug)]
struct PushError;

#[retryable(policy = PUSH, deadline = "1s", on = |_| true)]
async fn push() -> Result<(), PushError> {
    Err(PushError)
}

fn main() {
    let _ = push();
}
