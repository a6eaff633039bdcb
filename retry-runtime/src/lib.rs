//! Retries for async functions: policies declared in an attribute, checked by the compiler.
//!
//! ```
//! use retry_runtime::retryable;
//! use std::io;
//!
//! #[retryable(policy = exponential(base_delay = "100ms", retries = 5, deadline = "30s"), idempotent)]
//! async fn fetch(url: &str) -> io::Result<String> {
//!     // …
//! #   Ok(url.to_owned())
//! }
//! # let _ = fetch("x");
//! ```
//!
//! - [`retryable`]: the attribute, its arguments and its semantics
//! - [`RetryPolicy`], [`Composite`], [`Never`], [`DynPolicy`]: policies; [`Limited`]: time limits
//! - [`Exponential`], [`Constant`], [`Jitter`], [`Backoff`]: how long to wait
//! - [`Classify`], [`Disposition`], [`Rule`]: which errors to retry
//! - [`retry()`], [`RetryOperation`]: the closure form
//! - [`Budget`]: a bound on the retries of many calls together; [`CircuitBreaker`]: a stop for all calls to a server that fails
//! - [`Failure`], [`GiveUp`], [`Attempt`]: what hooks see
//! - [`Session`]: the state machine behind it all, for runtimes of your own
//!
//! # Semantics
//!
//! - `retries = 2` allows up to **3 attempts**; the default is 2 retries.
//! - The caller gets the operation's own last error, unchanged in type; why the call ended is in [`GiveUp`].
//! - The first attempt reads no clock, draws no random number, allocates nothing and takes no lock, unless a time
//!   limit or a hook, which sees the elapsed time, needs the clock.
//! - Dropping the future cancels the call: nothing is spawned, no later attempt happens.
//!
//! # Crate features
//!
//! | feature | default | gives |
//! | --- | --- | --- |
//! | `macros` | yes | the `#[retryable]` attribute |
//! | `fred` | no | `ErrorClass` and `Classify` for the errors of fred 10.1, and the client that retries every command |
//! | `i-std`, `i-all`, `i-keys` and the other `i-…` | no | fred's features of these names, and their commands on the client |
//! | `sha-1` | no | fred's feature of this name: `script_load_cluster` |
//! | `replicas`, `sentinel-client`, `subscriber-client` | no | fred's features of these names, and the client around these kinds |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod advice;
mod backoff;
mod builder;
mod composite;
mod cut;
mod disposition;
mod drive;
mod erased;
mod error;
mod failure;
#[cfg(feature = "fred")]
#[cfg_attr(docsrs, doc(cfg(feature = "fred")))]
pub mod fred;
mod guarded;
mod hooked;
mod jitter;
mod limit;
mod overload;
mod policy;
mod random;
mod retry;
mod rule;
mod schedule;
mod session;
mod telemetry;
#[cfg(not(feature = "testing"))]
#[path = "testing/disabled.rs"]
mod testing;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "fred")]
#[cfg_attr(docsrs, doc(cfg(feature = "fred")))]
pub use crate::fred::ErrorClass;
pub use crate::{
    advice::Advice,
    backoff::{Backoff, Constant, Exponential, Wait},
    composite::Composite,
    cut::Cut,
    disposition::{Classify, Disposition},
    drive::scope::current_attempt,
    erased::{Answer, DynPolicy, ErasedState},
    error::ConfigError,
    failure::{Attempt, Failure, GiveUp, Reason},
    guarded::{Guarded, Guards, MayCut, Nested, NeverCuts},
    hooked::Hooked,
    jitter::Jitter,
    limit::{Limited, Limits, Timed, Timing, Untimed, WithGuards},
    overload::{
        Admission, Budget, BudgetBuilder, BudgetEmpty, BudgetStatistics, Charge, CircuitBreaker,
        CircuitBreakerBuilder, CircuitState, Cost, Permit, Rejected,
    },
    policy::{Decide, Decision, Never, Pause, Policy, Progress, RetryPolicy, Stop},
    random::Random,
    retry::{NoValue, Retry, RetryFuture, RetryOperation, RetryValue, retry},
    rule::{ByDisposition, Idempotence, On, Rule},
    session::Session,
};
#[cfg(feature = "macros")]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
#[doc = include_str!("../docs/retryable.md")]
pub use retry_macros::retryable;

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "i-std", feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;
