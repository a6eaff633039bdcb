use std::io;

use retry_runtime::{Budget, retryable};

#[retryable(budget = Budget::new())]
async fn push() -> io::Result<()> {
    Ok(())
}

fn main() {
    let _ = push();
}
