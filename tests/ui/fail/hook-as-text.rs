use std::io;

use retry_runtime::retryable;

#[retryable(on_give_up = "warn")]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
