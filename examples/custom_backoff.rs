//! A backoff of your own takes one method.

use std::{io, time::Duration};

use retry_runtime::{
    RetryPolicy,
    backoff::{Backoff, RetryContext},
    retryable,
};

#[derive(Debug, Clone, Copy)]
struct Linear(Duration);

impl Backoff for Linear {
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
        self.0.saturating_mul(wait.retry())
    }
}

const LINEAR: RetryPolicy<Linear> = RetryPolicy::new(Linear(Duration::from_millis(10))).retries(3);

#[retryable(policy = LINEAR, on_failure = |failure| println!("next in {:?}", failure.delay()))]
async fn call() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{:?}", call().await);
}
