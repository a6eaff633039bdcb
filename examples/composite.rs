//! Different policies for different errors.

use std::{cell::Cell, io};

use retry_runtime::retryable;

#[retryable(policy = composite(
    constant(delay = "50ms", retries = 1, on = |_| true),
    exponential(base_delay = "10ms", retries = 4, on = |error| error.kind() == io::ErrorKind::ConnectionRefused),
))]
async fn call(kind: io::ErrorKind, calls: &Cell<u32>) -> io::Result<()> {
    calls.set(calls.get() + 1);
    Err(kind.into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for kind in [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused] {
        let calls = Cell::new(0);
        let result = call(kind, &calls).await;
        println!("{kind}: {} attempts, then {result:?}", calls.get());
    }
}
