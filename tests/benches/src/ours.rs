//! The forms of this toolkit.

use std::time::Duration;

use retry_runtime::{Budget, CircuitBreaker, DynPolicy, RetryPolicy, policy::Untimed, retryable};

use crate::{
    form,
    form::{ENOUGH, Form},
    operation::{Failed, Script, operation},
};

/// Forms for calls that succeed at once.
pub fn first() -> Vec<Form> {
    vec![
        form!("#[retryable] constant", |script| constant(script)),
        form!("#[retryable] exponential", |script| exponential(script)),
        form!("#[retryable] composite of two", |script| composite(script)),
        form!("#[retryable] deadline", |script| deadline(script)),
        form!("#[retryable] attempt timeout", |script| attempt_timeout(script)),
        form!("#[retryable] one hook", |script| hook(script)),
        form!(
            "#[retryable] erased",
            {
                let policy = DynPolicy::of_timing(RetryPolicy::exponential());
            },
            |script| { erased(&policy, script) }
        ),
        form!(
            "#[retryable] budget",
            {
                let budget = Budget::new();
            },
            |script| { with_budget(&budget, script) }
        ),
        form!(
            "#[retryable] breaker",
            {
                let breaker = CircuitBreaker::new();
            },
            |script| { with_breaker(&breaker, script) }
        ),
        form!("policy.retry(…)", |script| {
            RetryPolicy::exponential().retry(|| operation(script))
        }),
    ]
}

/// Forms for calls that fail.
pub fn failing() -> Vec<Form> {
    const POLICY: RetryPolicy<retry_runtime::Constant> =
        RetryPolicy::constant(Duration::ZERO).retries(ENOUGH);
    vec![
        form!("#[retryable] constant", |script| constant_at_once(script)),
        form!("#[retryable] composite of two", |script| composite_at_once(script)),
        form!("#[retryable] one hook", |script| hook_at_once(script)),
        form!(
            "#[retryable] erased",
            {
                let policy = DynPolicy::of_timing(POLICY);
            },
            |script| { erased(&policy, script) }
        ),
        form!("policy.retry(…)", |script| POLICY.retry(|| operation(script))),
    ]
}

#[retryable(policy = constant(delay = "1s", retries = 2))]
async fn constant(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable]
async fn exponential(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = composite(
    constant(delay = "1s", retries = 2, on = Failed::is_transient),
    exponential(retries = 5),
))]
async fn composite(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "1s", deadline = "30s"))]
async fn deadline(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "1s", attempt_timeout = "1s"))]
async fn attempt_timeout(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "1s"), on_failure = |failure| seen(failure.attempt()))]
async fn hook(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = policy)]
async fn erased(policy: &DynPolicy<Failed, Untimed>, script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "0s", retries = 20))]
async fn constant_at_once(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = composite(
    constant(delay = "0s", retries = 20, on = Failed::is_transient),
    constant(delay = "0s", retries = 20),
))]
async fn composite_at_once(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(
    policy = constant(delay = "0s", retries = 20),
    on_failure = |failure| seen(failure.attempt()),
)]
async fn hook_at_once(script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "1s"), budget = budget)]
async fn with_budget(budget: &Budget, script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

#[retryable(policy = constant(delay = "1s"), breaker = breaker)]
async fn with_breaker(breaker: &CircuitBreaker, script: &Script) -> Result<u64, Failed> {
    operation(script).await
}

fn seen(attempt: u32) {
    std::hint::black_box(attempt);
}
