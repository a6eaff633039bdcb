//! The attribute with its defaults, and with a policy of its own.

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use retry_runtime::retryable;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Refuses the first call, as a server that is starting would.
#[retryable(policy = exponential(base_delay = "20ms", retries = 3), attempt = attempt)]
async fn greet(name: &str) -> io::Result<String> {
    if CALLS.fetch_add(1, Ordering::Relaxed) == 0 {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(format!("hello {name}, at attempt {attempt}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("{}", greet("Ada").await?);
    Ok(())
}
