//! The closure form, for an operation that is not a function.

use std::{cell::Cell, io, time::Duration};

use retry_runtime::{RetryPolicy, closure::RetryOperation};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let calls = Cell::new(0);
    let flaky = async || {
        calls.set(calls.get() + 1);
        if calls.get() % 3 == 0 {
            Ok(calls.get())
        } else {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    };
    let policy = RetryPolicy::constant(Duration::from_millis(10));
    println!("{}", policy.retry(&flaky).idempotent().await?);
    println!(
        "{}",
        flaky.retry(policy).when(|error| error.kind() == io::ErrorKind::ConnectionReset).await?
    );
    Ok(())
}
