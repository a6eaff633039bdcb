//! Retries for async functions and for Redis: safe by default, checked by the compiler.
//!
//! A failed attempt can have taken effect all the same, so what it did matters more than how long to wait.
//! This crate retries an attempt that certainly had no effect; it retries one that may have had an effect only if you
//! declare that a repeat does no harm.
//!
//! A Redis client on which every command is retried:
//!
//! ```no_run
//! # #[cfg(feature = "i-std")]
//! # async fn example() -> fred::interfaces::FredResult<()> {
//! use retry_runtime::{RetryPolicy, fred::RetryClient};
//!
//! let client = RetryClient::connect_url("redis://127.0.0.1:6379", RetryPolicy::exponential().retries(5)).await?;
//! let visits: i64 = client.incr("visits").await?; // never counted twice
//! # Ok(())
//! # }
//! ```
//!
//! A function that is retried:
//!
//! ```
//! # #[cfg(feature = "macros")]
//! # {
//! use retry_runtime::retryable;
//! use std::io;
//!
//! #[retryable(policy = exponential(base_delay = "100ms", retries = 5, deadline = "30s"), idempotent)]
//! async fn fetch(url: &str) -> io::Result<String> {
//!     // …
//! #   Ok(url.to_owned())
//! }
//! # let _ = fetch("x");
//! # }
//! ```
//!
//! **[The guide](guide) explains it by need**: [why retries do harm](guide::why), [quick start](guide::quick_start),
//! [choosing a policy](guide::choosing_a_policy), [which errors are retried](guide::errors), [Redis](guide::redis),
//! [overload](guide::overload), [telemetry](guide::telemetry), [testing](guide::testing),
//! [configuration](guide::configuration), [compile errors](guide::compile_errors),
//! [anti-patterns](guide::anti_patterns), [coming from another crate](guide::coming_from).
//!
//! # Where is what?
//!
//! | you look for | it is |
//! | --- | --- |
//! | the attribute | [`retryable`](macro@retryable) |
//! | the Redis client | [`fred`] |
//! | policies | [`RetryPolicy`], [`Composite`], [`Never`], [`DynPolicy`]; to write or combine them [`policy`] |
//! | delays | [`Exponential`], [`Constant`], [`Jitter`]; to write one [`backoff`] |
//! | what an error proves | [`Classify`], [`Disposition`]; more in [`failure`] |
//! | limits on load | [`Budget`], [`CircuitBreaker`]; more in [`budget`] and [`breaker`] |
//! | the closure form | [`retry()`]; more in [`closure`] |
//! | what hooks see | [`Attempt`], [`Failure`], [`GiveUp`], [`GiveUpReason`]; what the body sees: [`current_attempt`] |
//! | calls that a limit, a breaker or a cancellation ended | [`Aborted`] |
//! | events and metrics | [`telemetry`], and the [page](guide::telemetry) |
//! | tools for tests | [`testing`] |
//!
//! # Semantics
//!
//! - `retries = 2` allows up to **3 attempts**; the default is 2 retries.
//! - The caller gets the operation's own last error; hooks also see why the call ended, in [`GiveUp`].
//! - A call without time limits, guards and hooks pays nothing before its first failure: it reads no clock, draws no
//!   random number, allocates nothing and takes no lock.
//! - Dropping the future cancels the call: nothing was spawned, so no further attempt happens.
//!
//! # Crate features
//!
//! | feature | default | gives |
//! | --- | --- | --- |
//! | `macros` | yes | the `#[retryable]` attribute |
//! | `tracing` | yes | events |
//! | `metrics` | no | metrics |
//! | `cancel` | no | cancellation with the tokens of tokio-util |
//! | `testing` | no | the module `testing`: overrides, recordings, a fault proxy |
//! | `fred` | no | `ErrorClass` and `Classify` for the errors of fred 10.1, and the client that retries every command |
//! | `i-std`, `i-all`, `i-keys` and the other `i-…` | no | fred's features of these names, and their commands on the client |
//! | `sha-1` | no | fred's feature of this name: `script_load_cluster` |
//! | `replicas`, `sentinel-client`, `subscriber-client` | no | fred's features of these names, and the client around these kinds |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod backoff;
mod call;
mod clock;
pub mod closure;
mod config_error;
pub mod failure;
#[cfg(feature = "fred")]
#[cfg_attr(docsrs, doc(cfg(feature = "fred")))]
pub mod fred;
#[cfg(all(
    doc,
    any(
        not(doctest),
        all(
            feature = "cancel",
            feature = "i-scripts",
            feature = "i-std",
            feature = "macros",
            feature = "subscriber-client",
            feature = "testing",
        )
    )
))]
pub mod guide;
mod overload;
pub mod policy;
pub mod telemetry;
#[cfg(not(feature = "testing"))]
#[path = "testing/disabled.rs"]
mod testing;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

/// Retry budgets: they limit the retries of all calls that share one.
///
/// # Quick start
///
/// ```
/// use retry_runtime::{Budget, RetryPolicy};
/// use std::sync::LazyLock;
///
/// // One for each server, shared by all calls to it.
/// static BUDGET: LazyLock<Budget> = LazyLock::new(Budget::new);
///
/// let policy = RetryPolicy::exponential().budget(&BUDGET);
/// # let _ = policy;
/// ```
///
/// In the attribute, write `budget = BUDGET`.
///
/// # Defaults
///
/// A [`Budget`] holds 500 tokens; its page has a table of prices and settings.
/// A call has no budget unless you give it one; a Redis client has one for each node.
///
/// # Telemetry
///
/// The gauge `retry.budget.level` shows the tokens left, by the budget's name.
/// A call that the budget refuses ends with the reason `budget`, and counts in `retry.budget.refused`.
///
/// # Examples
///
/// `examples/health.rs` shows a budget on a health page.
/// [`Budget::withdraw`] and [`Budget::refund`] drive one by hand.
pub mod budget {
    pub use crate::{
        failure::cost::Cost,
        overload::{BudgetBuilder, BudgetEmpty, BudgetStatistics, Charge, Permit},
    };
}

/// Circuit breakers: they stop all calls to a server while it fails.
///
/// # Quick start
///
/// ```
/// use retry_runtime::{CircuitBreaker, RetryPolicy};
/// use std::sync::LazyLock;
///
/// // One for each server, shared by all calls to it.
/// static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(CircuitBreaker::new);
///
/// let policy = RetryPolicy::exponential().breaker(&BREAKER);
/// # let _ = policy;
/// ```
///
/// In the attribute, write `breaker = BREAKER`.
/// The error type must implement `From<`[`Aborted`]`>`, because a call that the breaker rejects has no other error.
///
/// # Defaults
///
/// A [`CircuitBreaker`] opens when half of at least 20 calls in 10 s failed, and probes after 5 s; its page has a table
/// of states and settings.
/// A call has no breaker unless you give it one.
///
/// # Telemetry
///
/// One event at `WARN` reports that the breaker opened, and one that it closed; the gauge `retry.breaker.state` shows the
/// state, by the breaker's name.
/// A call that the breaker rejects ends with the reason `breaker_open`, and counts in `retry.breaker.refused`.
///
/// # Examples
///
/// `examples/health.rs` shows a breaker on a health page, `examples/limiter.rs` uses one to fail fast.
/// [`CircuitBreaker::admit`] asks one by hand.
pub mod breaker {
    pub use crate::{
        failure::{info::FailureReport, rejected::Rejected},
        overload::{Admission, CircuitBreakerBuilder, CircuitState, CircuitStatistics},
    };
}

#[cfg(feature = "fred")]
#[cfg_attr(docsrs, doc(cfg(feature = "fred")))]
pub use crate::fred::ErrorClass;
pub use crate::{
    backoff::{Constant, Exponential, Jitter},
    call::scope::current_attempt,
    closure::{PolicyExt, retry},
    failure::{Aborted, Attempt, Classify, Disposition, Failure, GiveUp, GiveUpReason},
    overload::{Budget, CircuitBreaker},
    policy::{Composite, DynPolicy, Never, RetryPolicy},
};
#[cfg(feature = "macros")]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
#[doc = include_str!("../docs/retryable.md")]
pub use retry_macros::retryable;

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "i-std", feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;
