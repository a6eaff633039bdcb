use std::io;

use retry_runtime::retryable;

#[retryable(on = matches!(error, _))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
