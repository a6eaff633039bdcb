//! Policies: whether a failed attempt is followed by another, and after which delay.
//!
//! # Quick start
//!
//! ```
//! use retry_runtime::{Exponential, RetryPolicy, policy::{ByDisposition, Timed}};
//! use std::time::Duration;
//!
//! const PLAIN: RetryPolicy = RetryPolicy::exponential().retries(5);
//!
//! // A time limit shows in the type.
//! const LOOKUP: RetryPolicy<Exponential, ByDisposition, Timed> =
//!     RetryPolicy::exponential().deadline(Duration::from_secs(30)).retries(5);
//! # let _ = (PLAIN, LOOKUP);
//! ```
//!
//! The settings may be given in any order.
//! A policy is plain data, so many calls can share one.
//!
//! # Which one?
//!
//! | you want | use |
//! | --- | --- |
//! | delays that grow, or are all the same | [`RetryPolicy`] with [`Exponential`](crate::Exponential) or [`Constant`](crate::Constant) |
//! | delays of your own | [`RetryPolicy::new`] with your [`Backoff`](crate::backoff::Backoff) |
//! | different policies for different errors | [`Composite`] |
//! | no retries | [`Never`] |
//! | a policy chosen at run time | [`DynPolicy`], or [`UntimedDynPolicy`] if the error type cannot represent a time limit |
//! | a budget, a breaker, a cancellation token, one layer that retries | `budget`, `breaker`, `cancel`, `nested` of any policy; see [`Guarded`] |
//! | a decision of your own | [`Policy`] and [`Decide`], with the methods of [`PolicyExt`](crate::PolicyExt) |
//!
//! # Defaults
//!
//! [`RetryPolicy`] lists the default of each setting.
//! [`Composite`], [`Never`] and policies of your own have no time limits and no guards until you add them.
//!
//! # Telemetry
//!
//! A policy emits nothing; the call does, with the [`GiveUpReason`](crate::GiveUpReason) that the policy gave.
//! See [`telemetry`](crate::telemetry).
//!
//! # Examples
//!
//! `examples/limits.rs`, `composite.rs`, `custom_backoff.rs`, `erased.rs` and `config.rs` (policies from a file).

/// Writes the methods of [`Policy`] that a policy passes on to the one inside it.
macro_rules! pass_on_to {
    ($inner:tt: $($method:ident -> $type:ty),* $(,)?) => {$(
        fn $method(&self) -> $type {
            self.$inner.$method()
        }
    )*};
}

mod cancel;
mod combine;
mod composite;
mod decision;
mod erased;
mod guarded;
mod guards;
mod hints;
mod limited;
mod limits;
mod never;
mod on;
mod progress;
mod retry_policy;
mod rule;
mod schedule;
mod session;
mod timing;
mod uninterrupted;

use std::sync::{Arc, LazyLock};

pub(crate) use self::{
    cancel::{Token, Watch},
    uninterrupted::Uninterrupted,
};
pub use self::{
    composite::Composite,
    decision::{Decision, NoRetry, RetryDelay},
    erased::{DynPolicy, UntimedDynPolicy},
    guarded::{Guarded, MayAbort, NeverAborts},
    guards::{Guards, Nested},
    limited::Limited,
    limits::Limits,
    never::Never,
    on::On,
    retry_policy::RetryPolicy,
    rule::{ByDisposition, CallRule, Classified, Idempotence, Named, Rule},
    session::Session,
    timing::{Measured, Timed, Timing, Untimed, WithGuards},
};
// Named by signatures alone: what a call remembers, and how an erased policy is asked.
#[doc(hidden)]
pub use self::{
    erased::{Answer, ErasedState},
    guarded::Watched,
    progress::Progress,
};
pub use crate::config_error::ConfigError;
use crate::{backoff::random::Random, failure::Failure};

/// The part of a policy that does not depend on the error: the state of a call, its time limits and its guards.
///
/// A policy is plain data; what a call remembers is in its [`Session`].
/// A [`Backoff`](crate::backoff::Backoff) of your own is usually enough; implement `Policy` and [`Decide`] for full
/// control.
/// [`PolicyExt`](crate::PolicyExt) then adds `retry`, `deadline`, `budget` and the other methods.
///
///
/// ```
/// use retry_runtime::{
///     Failure, GiveUpReason, backoff::Random, policy::{Decide, Decision, Policy, Untimed},
/// };
/// use std::time::Duration;
///
/// /// Retries at once, up to a number of attempts.
/// #[derive(Debug, Clone, Copy)]
/// struct Stubborn(u32);
///
/// impl Policy for Stubborn {
///     type State = ();
///     type Timing = Untimed;
/// }
///
/// impl<E, R> Decide<E, R> for Stubborn {
///     fn decide(&self, failure: &Failure<'_, E>, _: &R, _: &mut (), _: &mut Random) -> Decision {
///         if failure.attempt() < self.0 {
///             Decision::retry_after(Duration::ZERO)
///         } else {
///             Decision::give_up(GiveUpReason::RetriesExhausted)
///         }
///     }
/// }
/// # let _ = Stubborn(3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a retry policy",
    label = "expected a retry policy",
    note = "write `constant(…)`, `exponential(…)`, `composite(…)`, `never()`, or an expression of a type that implements `retry_runtime::policy::Policy`"
)]
pub trait Policy {
    /// What one call remembers between its failures.
    type State: Default;
    /// What a call under this policy needs beside the policy: [`Untimed`] if nothing.
    type Timing: Timing;

    /// Returns the time limits of a call; none unless overridden.
    ///
    /// Called once, when a call starts, and only if [`Self::Timing`] is [`Timed`].
    fn limits(&self) -> Limits {
        Limits::NONE
    }

    /// Returns the guards of a call; none unless overridden.
    ///
    /// Called when a call starts, and only if [`Self::Timing`] is [`WithGuards`].
    fn guards(&self) -> Guards {
        Guards::default()
    }

    /// Returns the guards of a policy that serves a single call, without cloning what they share.
    #[doc(hidden)]
    fn into_guards(self) -> Guards
    where
        Self: Sized,
    {
        self.guards()
    }

    /// Returns how many budgets are among the guards.
    #[doc(hidden)]
    fn budgets(&self) -> u32 {
        self.guards().budgets()
    }

    /// Returns the largest number of attempts of a call, or `None` if it is unbounded or unknown.
    ///
    /// Called only when a call retries: nested calls multiply their attempts, and an event gives the product.
    fn attempts(&self) -> Option<u32> {
        None
    }
}

/// Decides after every failure whether another attempt follows, and after which delay.
///
/// `R` is the rule of the call; a policy without a rule of its own asks it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot decide about errors of type `{E}`",
    label = "not a retry policy for `{E}`"
)]
pub trait Decide<E, R>: Policy {
    /// Decides about one failure and counts it in `state`.
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut Self::State,
        random: &mut Random,
    ) -> Decision;
}

/// Implements the policy traits for pointers to a policy.
macro_rules! pass_on {
    ($($(#[$doc:meta])* [$($generics:tt)*] $place:ty),* $(,)?) => {$(
        $(#[$doc])*
        impl<P: Policy $($generics)*> Policy for $place {
            type State = P::State;
            type Timing = P::Timing;

            fn limits(&self) -> Limits {
                (**self).limits()
            }

            fn guards(&self) -> Guards {
                (**self).guards()
            }

            fn budgets(&self) -> u32 {
                (**self).budgets()
            }

            fn attempts(&self) -> Option<u32> {
                (**self).attempts()
            }
        }

        impl<E, R, P: Decide<E, R> $($generics)*> Decide<E, R> for $place {
            #[inline]
            fn decide(
                &self,
                failure: &Failure<'_, E>,
                rule: &R,
                state: &mut P::State,
                random: &mut Random,
            ) -> Decision {
                (**self).decide(failure, rule, state, random)
            }
        }
    )*};
}

pass_on!(
    [+ ?Sized] &P,
    [+ ?Sized] Arc<P>,
    /// A policy in a `static`, created at its first use.
    [, F: FnOnce() -> P] LazyLock<P, F>,
);
