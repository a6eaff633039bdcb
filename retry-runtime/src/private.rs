//! What the attribute expands to; no part of the public API, and free to change in any release.

pub use core::{
    ops::ControlFlow::{Break, Continue},
    option::Option,
    result::Result,
};

pub use crate::call::{
    Call, ErrorType, Verdict,
    hook::{check_hook, run_hook},
    on_error,
};
use std::time::Duration;

use crate::{
    config_error::ConfigError,
    policy::{
        ByDisposition, Guarded, Idempotence, Limited, MayAbort, Measured, Named, On, Policy,
        Uninterrupted, Untimed,
    },
};

/// Limits the whole call, whatever the policy; the other limits follow as methods.
pub const fn deadline<P>(policy: P, deadline: Duration) -> Limited<P> {
    Limited { policy, timing: Untimed.deadline(deadline) }
}

/// Limits each attempt, whatever the policy.
pub const fn attempt_timeout<P>(policy: P, timeout: Duration) -> Limited<P> {
    Limited { policy, timing: Untimed.attempt_timeout(timeout) }
}

/// Begins no retry after so long a time, whatever the policy.
pub const fn retry_for<P>(policy: P, limit: Duration) -> Limited<P, Measured> {
    Limited { policy, timing: Untimed.retry_for(limit) }
}

/// Lets every attempt of a function that blocks its thread run to its end.
pub fn uninterrupted<P: Policy>(policy: P) -> Uninterrupted<P> {
    Uninterrupted(policy)
}

/// Starts the guards of a call whose policy has none.
pub fn guard<P: Policy>(policy: P) -> Guarded<P> {
    Guarded::new(policy)
}

/// Ends the call when a token is cancelled.
#[cfg(feature = "cancel")]
pub fn cancel<P, K>(
    guarded: Guarded<P, K>,
    token: &tokio_util::sync::CancellationToken,
) -> Guarded<P, MayAbort> {
    guarded.cancel(token)
}

/// Reports that the feature is missing.
#[cfg(not(feature = "cancel"))]
pub fn cancel<P, K, T: NeedsFeature>(_: Guarded<P, K>, token: &T) -> Guarded<P, MayAbort> {
    token.explain()
}

/// No type implements it.
#[cfg(not(feature = "cancel"))]
#[diagnostic::on_unimplemented(
    message = "`cancel` needs the feature `cancel` of `retry-runtime`",
    label = "enable the feature in `Cargo.toml`"
)]
pub trait NeedsFeature {
    /// Never called.
    fn explain<P>(&self) -> Guarded<P, MayAbort>;
}

/// The rule of an operation that can do something twice when repeated.
pub const NOT_IDEMPOTENT: ByDisposition = ByDisposition::new(Idempotence::NotIdempotent);

/// The rule of an operation declared `idempotent`.
pub const IDEMPOTENT: ByDisposition = ByDisposition::new(Idempotence::Idempotent);

/// Returns a policy of literals, or fails to compile.
#[track_caller]
pub const fn possible<P: Copy>(checked: Result<P, ConfigError>) -> P {
    match checked {
        Ok(policy) => policy,
        Err(ConfigError::MaxDelayBelowBase { .. }) => panic!("`max_delay` is below `base_delay`"),
        Err(ConfigError::Factor(_)) => panic!("`factor` is not a finite number of at least 1"),
        Err(ConfigError::JitterNeedsGrowth(_)) => {
            panic!("a constant delay does not grow, so this `jitter` does nothing")
        }
        Err(_) => panic!("the settings of the policy contradict each other"),
    }
}

/// Makes `policy` retry the errors that `rule` names.
pub const fn on<P, M>(policy: P, rule: M) -> On<P, Named<M>> {
    On::new(policy, rule)
}

/// Gives a closure of `on_ok` its argument type.
pub fn on_ok<T, F: FnOnce(&T) -> bool>(rule: F) -> F {
    rule
}

/// The argument of a hook that ignores it.
#[derive(Debug)]
pub struct Unseen;

/// Gives an asynchronous hook its argument type.
pub fn async_hook<A, R, F: AsyncFnMut(&A) -> R>(_: &A, hook: F) -> F {
    hook
}

/// Calls a hook, and gives it its argument type.
pub fn hook<A, R>(seen: &A, hook: impl FnOnce(&A) -> R) -> R {
    hook(seen)
}
