//! What may cross threads.

use std::future::Future;

use retry_runtime::{DynPolicy, Never, RetryPolicy};

use super::script::{EVERY_SECOND, Failed, SECOND, is_lost};

#[test]
fn policies_and_futures_can_be_shared() {
    fn shared<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    fn sendable<T: Future + Send>(_: &T) {}
    shared(&EVERY_SECOND.on(is_lost).or(RetryPolicy::exponential()).deadline(SECOND));
    shared(&DynPolicy::<Failed>::new(Never));
    sendable(&IntoFuture::into_future(EVERY_SECOND.retry(async || Ok::<_, Failed>(1))));
}
