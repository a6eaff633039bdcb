use std::{io, pin::Pin};

use retry_runtime::retryable;

#[retryable]
fn push() -> Pin<Box<dyn Future<Output = io::Result<()>>>> {
    Box::pin(async move { Ok(()) })
}

fn main() {
    let _ = push;
}
