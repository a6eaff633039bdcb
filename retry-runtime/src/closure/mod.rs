//! The closure form: `policy.retry(operation)`.
//!
//! ```
//! use retry_runtime::RetryPolicy;
//! use std::{io, time::Duration};
//!
//! # async fn lookup(_: &str) -> io::Result<u32> { Ok(7) }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let answer = RetryPolicy::exponential()
//!     .retry(async || lookup("name").await)
//!     .idempotent()
//!     .deadline(Duration::from_secs(10))
//!     .notify(|failure| eprintln!("{failure}"))
//!     .await?;
//! assert_eq!(answer, 7);
//! # Ok::<(), io::Error>(())
//! # })?;
//! # Ok::<(), io::Error>(())
//! ```

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
