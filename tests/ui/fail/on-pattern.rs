use retry_runtime::retryable;

#[derive(Debug)]
enum PushError {
    Busy,
    Lost(u8),
}

#[retryable(on = PushError::Busy | PushError::Lost(_))]
async fn push() -> Result<(), PushError> {
    Ok(())
}

fn main() {
    let _ = push();
}
