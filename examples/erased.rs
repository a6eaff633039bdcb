//! A policy chosen at run time.

use std::{env, io};

use retry_runtime::{DynPolicy, Never, RetryPolicy, retryable};

struct Service {
    policy: DynPolicy<io::Error>,
}

impl Service {
    #[retryable(policy = self.policy, on_failure = |failure| println!("{failure}"))]
    async fn call(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let retries_off = env::args().any(|argument| argument == "--no-retries");
    let policy = if retries_off {
        DynPolicy::new(Never)
    } else {
        DynPolicy::new(RetryPolicy::exponential())
    };
    println!("{:?}", Service { policy }.call().await);
}
