//! Functions under the attributes of other crates.

use std::time::Duration;

use retry_if::{ExponentialBackoffConfig, retry};

use crate::{
    form::ENOUGH,
    operation::{Failed, Script, operation},
};

fn exponential() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::default().with_jitter()
}

#[backon_macros::backon(backoff = exponential, when = Failed::is_transient)]
pub async fn backon(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

fn at_once() -> backon::ConstantBuilder {
    backon::ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(ENOUGH as usize)
}

fn no_sleep(_: Duration) -> std::future::Ready<()> {
    std::future::ready(())
}

#[backon_macros::backon(backoff = at_once, sleep = no_sleep, when = Failed::is_transient)]
pub async fn backon_at_once(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

fn wants_retry(outcome: &Result<u64, Failed>) -> bool {
    outcome.as_ref().is_err_and(Failed::is_transient)
}

const DOUBLING: ExponentialBackoffConfig = ExponentialBackoffConfig {
    max_retries: 3,
    t_wait: Duration::from_millis(10),
    backoff: 2.0,
    t_wait_max: None,
    backoff_max: None,
};

#[retry(DOUBLING, wants_retry)]
pub async fn retry_if(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

const AT_ONCE: ExponentialBackoffConfig =
    ExponentialBackoffConfig { max_retries: ENOUGH, t_wait: Duration::ZERO, ..DOUBLING };

#[retry(AT_ONCE, wants_retry)]
pub async fn retry_if_at_once(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}
