use retry_runtime::retryable;
use std::io;

#[retryable(blocking, policy = constant(delay = "1s", attempt_timeout = "5s"))]
fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
