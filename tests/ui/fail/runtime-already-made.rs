use std::io;

use retry_runtime::retryable;

#[retryable]
fn push(runtime: &tokio::runtime::Runtime) -> io::Result<()> {
    let future = async { Ok(()) };
    runtime.block_on(future)
}

fn main() {
    let _ = push;
}
