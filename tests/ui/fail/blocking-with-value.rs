use retry_runtime::retryable;
use std::io;

#[retryable(blocking = true)]
fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
