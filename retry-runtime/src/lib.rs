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
//! - [`Budget`], [`CircuitBreaker`], [`Nested`]: overload protection, attached as [`Guarded`] says
//! - [`Exponential`], [`Constant`], [`Jitter`], [`Backoff`]: how long to wait
//! - [`Classify`], [`Disposition`], [`Rule`], [`Advice`]: which errors to retry, and what they say besides
//! - [`retry()`], [`RetryOperation`]: the closure form
//! - [`Budget`]: a bound on the retries of many calls together; [`CircuitBreaker`]: a stop for all calls to a server that fails
//! - [`Failure`], [`GiveUp`], [`Reason`], [`Attempt`]: what hooks see; [`current_attempt`]: what the body can see
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
//! # Telemetry
//!
//! Events of `tracing`, target `retry_runtime`, in the span of the caller; no argument and no value is ever in one.
//!
//! | event | level | fields |
//! | --- | --- | --- |
//! | an attempt failed, another follows | `WARN` | `operation`, `attempt`, `delay`, `elapsed`, `disposition`, `error.class`, `error.message` |
//! | the call succeeded after that | `DEBUG`, target `retry_runtime::recovered` | `operation`, `attempt`, `elapsed`, `reason = "success_after_retry"` |
//! | the call failed | `ERROR` | `operation`, `attempt`, `elapsed`, `disposition`, `error.class`, `error.message`, `reason`: a [`Reason`] |
//! | its first attempt was answered with an error that is not retried: permanent, or left out by `on` | `DEBUG` | the same, `reason = "not_retryable"` |
//! | it was refused before its first attempt, by a breaker or a cancellation | `DEBUG` | the same |
//! | it left its retries to a call inside or around it | `DEBUG` | the same, `reason = "nested"` |
//! | it was cancelled between two attempts | `INFO` | the same, `reason = "cancelled"` |
//! | it was dropped after a failure | `INFO` | `operation`, `attempt`, `elapsed`, `reason = "cancelled"` |
//! | it panicked after a failure | `ERROR` | `operation`, `attempt`, `elapsed`, `reason = "panicked"` |
//! | `on_ok` asks again | `DEBUG` | as of a failed attempt, `error.class = "pending"` |
//! | `on_ok` asked as often as it may, the caller gets the last value | `INFO` | as of a failed call, `error.class = "pending"` |
//! | a call retries inside an attempt of another | `WARN` | `operation`, `enclosing_attempt`, `worst_case_attempts` |
//! | a circuit breaker opened | `WARN` | `breaker`, `from`, `to`, `failures` of `calls` in the window |
//! | it closed | `WARN` | `breaker`, `from`, `to`, `after`: the time since it was closed before |
//! | it was forced open | `WARN` | `breaker`, `from`, `to` |
//! | it probes the server, or stays open after a probe failed | `DEBUG` | `breaker`, `from`, `to` |
//!
//! A success at the first attempt says nothing, and neither does a blocking command that finds nothing; a call tells its
//! end once, whatever the ending.
//! To see recoveries, enable their target: `RUST_LOG=info,retry_runtime::recovered=debug`.
//!
//! - `elapsed` is the time since the call began, and left out where the call reads no clock: no limit, no hook, no guard
//!   with a time.
//! - `error.class` is that of [`Classify`] or of the rule; `deadline`, `attempt_timeout`, `cancelled` or `breaker_open` where
//!   a [`Cut`] has none; else `unclassified`.
//! - `error.message` is the text of the error: what its `Display` prints, or else its `Debug`, and in the closure form
//!   its `Debug`.
//!   It is left out if the type prints nothing, or of everything after [`hide_error_messages`].
//!
//! Metrics of the facade `metrics` (feature `metrics`):
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `retry.calls` | counter | `operation`; `attempts`: `first_attempt`, `after_retry`; `outcome`: `success`, `failure`, `cancelled`, `panicked`, `pending` (the value is not wanted yet), `empty` (a blocking command found nothing) |
//! | `retry.retries` | counter | `operation`, `error.type` |
//! | `retry.delay` | histogram, seconds | `operation` |
//! | `retry.budget.level` | gauge, tokens | `budget`: its name |
//! | `retry.breaker.state` | gauge: 0 closed, 1 half open, 2 open | `breaker`: its name |
//! | `retry.budget.refused`, `retry.breaker.refused` | counter | `operation` |
//!
//! The gauges are those of a budget and of a breaker, whoever shares them: set when one is made, and whenever its level or
//! state changes.
//! So name them, with [`BudgetBuilder::name`] and [`CircuitBreakerBuilder::name`]; all without a name share the label
//! `unnamed`.
//! A recorder that is installed later sees the first change.
//! A call that is dropped, or panics, in its first attempt tells no event; it is counted.
//! A breaker that no call asks stays at 2 after its time is over: only a call finds out whether the server is back.
//!
//! # Crate features
//!
//! | feature | default | gives |
//! | --- | --- | --- |
//! | `macros` | yes | the `#[retryable]` attribute |
//! | `tracing` | yes | events |
//! | `metrics` | no | metrics |
//! | `cancel` | no | cancellation by the tokens of tokio-util |
//! | `testing` | no | the module `testing`: overrides, recordings, a fault proxy |
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
mod io_error;
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
    advice::{Advice, FailureReport},
    backoff::{Backoff, Constant, Exponential, Wait},
    composite::Composite,
    cut::{Cut, PreviousError},
    disposition::{Classify, Disposition},
    drive::{outcome::RepresentsCut, scope::current_attempt},
    erased::{Answer, DynPolicy, ErasedState},
    error::ConfigError,
    failure::{Attempt, Failure, GiveUp, Reason},
    guarded::{Guarded, Guards, MayCut, Nested, NeverCuts, Watched},
    hooked::Hooked,
    jitter::Jitter,
    limit::{Limited, Limits, Timed, Timing, Untimed, WithGuards},
    overload::{
        Admission, Budget, BudgetBuilder, BudgetEmpty, BudgetStatistics, Charge, CircuitBreaker,
        CircuitBreakerBuilder, CircuitState, CircuitStatistics, Cost, Permit, Rejected,
    },
    policy::{Decide, Decision, Never, Pause, Policy, Progress, RetryPolicy, Stop},
    random::Random,
    retry::{NoValue, Retry, RetryFuture, RetryOperation, RetryValue, retry},
    rule::{ByDisposition, Classified, Idempotence, On, Rule},
    session::Session,
    telemetry::hide_error_messages,
};
#[cfg(feature = "macros")]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
#[doc = include_str!("../docs/retryable.md")]
pub use retry_macros::retryable;

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "i-std", feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;
