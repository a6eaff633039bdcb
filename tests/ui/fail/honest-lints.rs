#![deny(missing_docs, unused)]
//! What rustc would report without the attribute, it reports with it.

use std::io;

use retry_runtime::retryable;

#[retryable]
async fn nobody_calls_this() -> io::Result<()> {
    Ok(())
}

#[retryable]
pub async fn undocumented() -> io::Result<()> {
    Ok(())
}

/// Holds everything that nobody uses.
#[retryable]
pub async fn idle(argument: u32) -> io::Result<()> {
    let mut binding = 1;
    io::Error::other("dropped");
    std::fs::read("file");
    return Ok(());
    let after = 2;
}

fn main() {}
