use retry_runtime::retryable;
use std::io;

#[retryable(budget = 500)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
