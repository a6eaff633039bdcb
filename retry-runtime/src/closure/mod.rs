//! The closure form: `policy.retry(operation)`.

mod blocking;
mod ext;
mod hook;
mod hooked;
mod methods;
mod retry;
mod settings;

pub use self::{
    blocking::{BlockingRetry, retry_blocking},
    ext::PolicyExt,
    hooked::Hooked,
    retry::{NoValue, Retry, RetryFuture, RetryOperation, RetryValue, retry},
};
