use std::time::Duration;

use backon::Retryable;
use execution_policy::{ExecutionPolicyBuilder, Retry};

use super::{
    attributes,
    tower_policy::{Budgeted, Counting},
};
use crate::{
    form,
    form::Form,
    operation::{Failed, operation},
};

const TEN: Duration = Duration::from_millis(10);

/// Forms for calls that succeed at once.
pub fn first() -> Vec<Form> {
    [backon_forms(), iterator_forms(), prepared_forms(), tower_forms()].concat()
}

fn backon_forms() -> Vec<Form> {
    vec![
        form!("backon", |script| {
            (|| operation(script)).retry(backon::ExponentialBuilder::default().with_jitter())
        }),
        form!("backon-macros", |script| attributes::backon(script)),
        form!("backoff", |script| {
            backoff::future::retry(backoff::ExponentialBackoff::default(), || async {
                operation(script).await.map_err(backoff::Error::transient)
            })
        }),
        form!("retry-if", |script| attributes::retry_if(script)),
    ]
}

fn iterator_forms() -> Vec<Form> {
    vec![
        form!("tokio-retry", |script| {
            use tokio_retry::strategy::{ExponentialBackoff, jitter};
            let delays = ExponentialBackoff::from_millis(10).map(jitter).take(3);
            tokio_retry::Retry::start(delays, || operation(script))
        }),
        form!("tokio-retry2", |script| {
            use tokio_retry2::strategy::{ExponentialBackoff, jitter};
            let delays = ExponentialBackoff::from_millis(10).map(jitter).take(3);
            tokio_retry2::Retry::spawn(delays, || async {
                operation(script).await.map_err(tokio_retry2::RetryError::transient)
            })
        }),
        form!("mulligan", |script| {
            mulligan::until_ok()
                .stop_after(3)
                .exponential(TEN)
                .full_jitter()
                .execute(async || operation(script).await)
        }),
    ]
}

fn prepared_forms() -> Vec<Form> {
    vec![
        form!("again", |script| again::retry(|| operation(script))),
        form!(
            "execution-policy",
            {
                let retry =
                    Retry::exponential().max_attempts(4).jitter(execution_policy::Jitter::Full);
                let policy = ExecutionPolicyBuilder::<u64, Failed>::new().retry(retry).build();
            },
            |script| policy.run(async || operation(script).await)
        ),
    ]
}

fn tower_forms() -> Vec<Form> {
    vec![
        Form {
            name: "tower",
            run: |runtime, calls, failures| {
                super::tower_policy::repeat(runtime, calls, failures, Counting::new(3));
            },
            ..form!("", |script| operation(script))
        },
        Form {
            name: "tower with budget",
            run: |runtime, calls, failures| {
                super::tower_policy::repeat(runtime, calls, failures, Budgeted::new(3));
            },
            ..form!("", |script| operation(script))
        },
    ]
}
