use retry_runtime::retryable;

#[derive(Debug)]
struct PushError;

#[retryable]
async fn push() -> Result<(), PushError> {
    Err(PushError)
}

fn main() {
    let _ = push;
}
