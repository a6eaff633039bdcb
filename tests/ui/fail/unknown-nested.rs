use retry_runtime::retryable;
use std::io;

#[retryable(nested = outer)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
