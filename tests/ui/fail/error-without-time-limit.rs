use retry_runtime::retryable;

#[derive(Debug)]
struct PushError;

#[retryable(policy = exponential(deadline = "1s"), on = |_| true)]
async fn push() -> Result<(), PushError> {
    Err(PushError)
}

fn main() {
    let _ = push;
}
