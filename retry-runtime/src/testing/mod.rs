//! Tools for tests of code that retries: switch retries off or cap them, make jitter repeatable, record what a call did,
//! and inject faults on the way to a server.
//!
//! Everything applies to a scope, so tests that run side by side do not disturb each other.
//!
//! A test of a function that retries; the clock is paused, so the test takes no time:
//!
//! ```
//! use retry_runtime::{GiveUpReason, retryable, testing::{self, Outcomes}};
//! use std::{io, time::Duration};
//!
//! #[retryable(policy = constant(delay = "1s", retries = 2))]
//! async fn fetch(outcomes: &Outcomes<io::Result<u32>>) -> io::Result<u32> {
//!     outcomes.next()
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
//! let refused = || Err(io::ErrorKind::ConnectionRefused.into());
//! let outcomes = Outcomes::new([refused(), Ok(7)]);
//! let run = testing::record(fetch(&outcomes)).await;
//! assert_eq!((run.attempts(), run.delays()), (2, vec![Duration::from_secs(1)]));
//! assert_eq!(run.output?, 7);
//!
//! let outcomes = Outcomes::new([refused(), refused(), refused(), Ok(7)]);
//! let run = testing::record(fetch(&outcomes)).await;
//! assert_eq!((run.attempts(), run.reason()), (3, Some(GiveUpReason::RetriesExhausted)));
//! # Ok::<(), io::Error>(())
//! # })?;
//! # Ok::<(), io::Error>(())
//! ```

mod fault_proxy;
mod outcomes;
mod overrides;
mod record;

pub use self::{
    fault_proxy::{Fault, FaultProxy},
    outcomes::Outcomes,
    overrides::{Entered, Overrides},
    record::{Call, Recording, record},
};
pub(crate) use self::{
    overrides::{limit, with_random},
    record::{Record, ended, retried},
};
