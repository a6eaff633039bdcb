use retry_runtime::retryable;

#[derive(Debug)]
enum PushError {
    Busy,
}

#[retryable(on = PushError::Busy)]
async fn push() -> Result<(), PushError> {
    Ok(())
}

fn main() {
    let _ = push();
}
