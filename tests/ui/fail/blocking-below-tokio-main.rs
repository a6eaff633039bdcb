use std::io;

use retry_runtime::retryable;

#[tokio::main]
#[retryable(blocking)]
async fn main() -> io::Result<()> {
    Ok(())
}
