use std::{future::IntoFuture, time::Duration};

use backon::Retryable;
use execution_policy::{ExecutionPolicyBuilder, Retry};
use retry_if::{ExponentialBackoffConfig, retry};
use tower::{Service, retry::Policy, service_fn};

use super::{Sizes, work};
use crate::{operation::Failed, sizes};

const TEN: Duration = Duration::from_millis(10);

pub(super) fn all() -> Vec<Sizes> {
    vec![
        sizes!("backon", N => {
            (|| work::<N>(&1)).retry(backon::ExponentialBuilder::default().with_jitter()).into_future()
        }),
        sizes!("backon-macros", N => backon_macros_form::<N>(&1)),
        sizes!("backoff", N => backoff::future::retry(backoff::ExponentialBackoff::default(), || async {
            work::<N>(&1).await.map_err(backoff::Error::transient)
        })),
        sizes!("retry-if", N => retry_if_form::<N>(&1)),
        sizes!("tokio-retry", N => {
            use tokio_retry::strategy::{ExponentialBackoff, jitter};
            let delays = ExponentialBackoff::from_millis(10).map(jitter).take(3);
            tokio_retry::Retry::start(delays, || work::<N>(&1))
        }),
        sizes!("tokio-retry2", N => {
            use tokio_retry2::strategy::{ExponentialBackoff, jitter};
            let delays = ExponentialBackoff::from_millis(10).map(jitter).take(3);
            tokio_retry2::Retry::spawn(delays, || async {
                work::<N>(&1).await.map_err(tokio_retry2::RetryError::transient)
            })
        }),
        sizes!("mulligan", N => {
            mulligan::until_ok().stop_after(3).exponential(TEN).full_jitter()
                .execute(async || work::<N>(&1).await)
        }),
        sizes!("again", N => again::retry(|| work::<N>(&1))),
        sizes!("execution-policy", N => {
            let policy = ExecutionPolicyBuilder::<u64, Failed>::new().retry(Retry::exponential());
            let policy: &'static _ = Box::leak(Box::new(policy.build()));
            policy.run(async || work::<N>(&1).await)
        }),
        sizes!("tower, wait is a sleep", N => {
            tower::retry::Retry::new(Waiting { left: 3 }, service_fn(|()| work::<N>(&1))).call(())
        }),
    ]
}

/// A policy for tower that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    left: u32,
}

impl Policy<(), u64, Failed> for Waiting {
    type Future = tokio::time::Sleep;

    fn retry(&mut self, (): &mut (), result: &mut Result<u64, Failed>) -> Option<Self::Future> {
        self.left = self.left.checked_sub(1)?;
        result.is_err().then(|| tokio::time::sleep(TEN))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

fn exponential() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::default().with_jitter()
}

#[backon_macros::backon(backoff = exponential)]
async fn backon_macros_form<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}

const DOUBLING: ExponentialBackoffConfig = ExponentialBackoffConfig {
    max_retries: 3,
    t_wait: TEN,
    backoff: 2.0,
    t_wait_max: None,
    backoff_max: None,
};

fn failed(outcome: &Result<u64, Failed>) -> bool {
    outcome.is_err()
}

#[retry(DOUBLING, failed)]
async fn retry_if_form<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    work::<N>(seed).await
}
