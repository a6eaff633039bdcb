//! `on_ok` retries values that are not the wanted ones yet.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicU32, Ordering},
};

use retry_runtime::retryable;

#[derive(Debug, PartialEq)]
enum Job {
    Pending,
    Done,
}

#[retryable(policy = constant(delay = "10ms", retries = 10), on = |_| false, on_ok = |job| *job == Job::Pending)]
async fn finished(polls: &AtomicU32) -> Result<Job, Infallible> {
    Ok(if polls.fetch_add(1, Ordering::Relaxed) < 3 { Job::Pending } else { Job::Done })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{:?}", finished(&AtomicU32::new(0)).await);
}
