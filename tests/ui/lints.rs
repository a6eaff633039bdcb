//! The expansion adds no lint of its own, whatever the user denies.
#![deny(
    warnings,
    missing_docs,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
#![deny(
    clippy::shadow_unrelated,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::allow_attributes
)]
#![deny(clippy::absolute_paths, clippy::infinite_loop, clippy::unwrap_used, clippy::panic)]

use std::{future::ready, io, time::Duration};

use retry_runtime::{Constant, RetryPolicy, retryable};

const POLICY: RetryPolicy<Constant> = RetryPolicy::constant(Duration::ZERO);

/// Has a body of one expression.
///
/// # Errors
///
/// Returns what the operation does.
#[retryable]
pub async fn one_line(value: &str) -> io::Result<usize> {
    Ok(value.len())
}

/// Returns early, with everything declared.
///
/// # Errors
///
/// Returns what the operation does.
#[retryable(policy = POLICY, on = |error| error.kind() == io::ErrorKind::Other, on_ok = |found| *found > 9,
            attempt = attempt, before = |_| (), on_failure = async |_| (), on_give_up = |_| (), name = "all")]
pub async fn everything(value: u32) -> io::Result<u32> {
    if value == 0 {
        return Err(io::Error::other("zero"));
    }
    Ok(one_line("a").await.map(|length| u32::from(length == 1))? + attempt)
}

/// Nests composites and limits.
///
/// # Errors
///
/// Returns what the operation does.
#[retryable(policy = composite(constant(delay = "1s", on = |_| true), exponential(factor = 3), POLICY, deadline = "9s"),
            idempotent)]
pub async fn composed(value: u32) -> io::Result<u32> {
    ready(Ok(value)).await
}

/// Has settings beside a policy that has a name.
///
/// # Errors
///
/// Returns what the operation does.
#[retryable(policy = POLICY, deadline = "9s", attempt_timeout = Duration::from_secs(1), retry_for = "8s")]
pub async fn limited(value: u32) -> io::Result<u32> {
    ready(Ok(value)).await
}

/// Blocks its thread, under a limit.
///
/// # Errors
///
/// Returns what the operation does.
#[retryable(blocking, retries = 1, deadline = "9s")]
pub fn blocks(value: u32) -> io::Result<u32> {
    Ok(value)
}

#[tokio::test]
async fn lint_clean_functions_work() {
    assert_eq!(one_line("four").await.ok(), Some(4));
    assert_eq!(everything(1).await.ok(), Some(2));
    assert_eq!(composed(1).await.ok(), Some(1));
    assert_eq!(limited(1).await.ok(), Some(1));
    assert_eq!(blocks(1).ok(), Some(1));
}
