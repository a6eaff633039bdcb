use std::{future::ready, time::Duration};

use backon::Retryable;
use execution_policy::{ExecutionPolicyBuilder, Retry};
use tokio::task::yield_now;

use super::{
    attributes,
    tower_policy::{self, Counting},
};
use crate::{
    form,
    form::{ENOUGH, Form},
    operation::{Failed, operation},
};

const RETRIES: usize = ENOUGH as usize;

fn at_once() -> backon::ConstantBuilder {
    backon::ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(RETRIES)
}

/// Forms for calls that fail.
///
/// The sleeper can be replaced in backon, and a policy of tower names its own wait; every other crate sends a delay
/// of zero through the timer.
pub fn failing() -> Vec<Form> {
    [backon_forms(), prepared_forms(), timer_forms()].concat()
}

fn backon_forms() -> Vec<Form> {
    vec![
        form!("backon, sleeper yields", |script| {
            (|| operation(script))
                .retry(at_once())
                .sleep(|_| yield_now())
                .when(Failed::is_transient)
        }),
        form!("backon, sleeper is ready", |script| {
            (|| operation(script)).retry(at_once()).sleep(|_| ready(())).when(Failed::is_transient)
        }),
        form!("backon-macros, sleeper is ready", |script| attributes::backon_at_once(script)),
        form!("backon", |script| {
            (|| operation(script)).retry(at_once()).when(Failed::is_transient)
        })
        .on_timer(),
    ]
}

fn prepared_forms() -> Vec<Form> {
    vec![
        Form {
            name: "tower, wait is ready",
            run: |runtime, calls, failures| {
                tower_policy::repeat(runtime, calls, failures, Counting::new(ENOUGH));
            },
            ..form!("", |script| operation(script))
        },
        form!(
            "execution-policy",
            {
                let retry = Retry::fixed(Duration::ZERO).max_attempts(ENOUGH + 1);
                let policy = ExecutionPolicyBuilder::<u64, Failed>::new().retry(retry).build();
            },
            |script| policy.run(async || operation(script).await)
        ),
    ]
}

fn timer_forms() -> Vec<Form> {
    let forms = [
        form!("retry-if", |script| attributes::retry_if_at_once(script)),
        form!("tokio-retry", |script| {
            let delays = tokio_retry::strategy::FixedInterval::from_millis(0).take(RETRIES);
            tokio_retry::Retry::start(delays, || operation(script))
        }),
        form!("tokio-retry2", |script| {
            let delays = tokio_retry2::strategy::FixedInterval::from_millis(0).take(RETRIES);
            tokio_retry2::Retry::spawn(delays, || async {
                operation(script).await.map_err(tokio_retry2::RetryError::transient)
            })
        }),
        form!("mulligan", |script| {
            mulligan::until_ok().stop_after(ENOUGH).execute(async || operation(script).await)
        }),
        form!(
            "again",
            {
                let policy = again::RetryPolicy::fixed(Duration::ZERO).with_max_retries(RETRIES);
            },
            |script| policy.retry(|| operation(script))
        ),
    ];
    forms.map(Form::on_timer).to_vec()
}
