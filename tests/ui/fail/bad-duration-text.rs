use std::io;

use retry_runtime::retryable;

#[retryable(policy = constant(delay = "soon"))]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
