use retry_runtime::retryable;
use std::io;

#[retryable(reset_after = 60)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
