use std::future::IntoFuture;

use retry_runtime::{DynPolicy, RetryPolicy, policy::Untimed, retryable};

use super::{Sizes, work};
use crate::{operation::Failed, sizes};

pub(super) fn all() -> Vec<Sizes> {
    vec![
        sizes!("#[retryable] constant", N => constant::<N>(&1)),
        sizes!("#[retryable] exponential", N => exponential::<N>(&1)),
        sizes!("#[retryable] composite of two", N => composite::<N>(&1)),
        sizes!("#[retryable] deadline", N => deadline::<N>(&1)),
        sizes!("#[retryable] one hook", N => hook::<N>(&1)),
        sizes!("#[retryable] erased", N => erased::<N>(&DynPolicy::of_timing(RetryPolicy::exponential()), &1)),
        sizes!("policy.retry(…)", N => RetryPolicy::exponential().retry(|| work::<N>(&1)).into_future()),
    ]
}

#[retryable(policy = constant(delay = "1s"))]
async fn constant<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

#[retryable]
async fn exponential<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

#[retryable(policy = composite(
    constant(delay = "1s", on = Failed::is_transient),
    exponential(retries = 5),
))]
async fn composite<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

#[retryable(policy = constant(delay = "1s", deadline = "30s"))]
async fn deadline<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

#[retryable(policy = constant(delay = "1s"), on_failure = |failure| assert!(failure.attempt() > 0))]
async fn hook<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

#[retryable(policy = policy)]
async fn erased<const N: usize>(
    policy: &DynPolicy<Failed, Untimed>,
    seed: &u8,
) -> Result<u64, Failed> {
    work::<N>(seed).await
}
