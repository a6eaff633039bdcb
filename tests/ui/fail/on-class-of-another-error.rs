use std::io;

use retry_runtime::{ErrorClass, retryable};

#[retryable(on = ErrorClass::CONNECTION)]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push;
}
