//! Whether to try again: the policies, what they are made of, and what watches over their calls.

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
    erased::{Answer, DynPolicy, ErasedState, UntimedDynPolicy},
    guarded::{Guarded, MayAbort, NeverAborts, Watched},
    guards::{Guards, Nested},
    limited::Limited,
    limits::Limits,
    never::Never,
    on::On,
    progress::Progress,
    retry_policy::RetryPolicy,
    rule::{ByDisposition, CallRule, Classified, Idempotence, Named, Rule},
    session::Session,
    timing::{Measured, Timed, Timing, Untimed, WithGuards},
};
pub use crate::config_error::ConfigError;
use crate::{backoff::random::Random, failure::Failure};

/// The part of a policy that does not depend on the error: what a call remembers, and its time limits.
///
/// A policy is plain data; the memory of a call lives in its [`Session`].
/// Most own needs are met by a [`Backoff`](crate::backoff::Backoff); implement `Policy` and [`Decide`] for full control:
///
/// ```
/// use retry_runtime::{
///     Failure, GiveUpReason, backoff::Random, policy::{Decide, Decision, Policy, Untimed},
/// };
/// use std::time::Duration;
///
/// /// Retries as long as the attempt number is below a limit, at once.
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
    /// What a call needs besides: [`Untimed`] for a policy that only decides, as most do.
    type Timing: Timing;

    /// Returns the time limits of a call, none unless overridden.
    ///
    /// Read once, when the call starts, and only if [`Self::Timing`] is [`Timed`].
    fn limits(&self) -> Limits {
        Limits::NONE
    }

    /// Returns what else watches over a call, nothing unless overridden.
    ///
    /// Read when the call starts, and only if [`Self::Timing`] is [`WithGuards`].
    fn guards(&self) -> Guards {
        Guards::default()
    }

    /// Returns the guards of a policy that is used for one call: nothing is shared once more.
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

    /// Returns how many attempts a call makes at most, or `None` if that is not bounded or not known.
    ///
    /// Asked only when a call retries, to tell what it multiplies inside another.
    fn attempts(&self) -> Option<u32> {
        None
    }
}

/// Decides after every failure whether, and after what wait, another attempt follows.
///
/// `R` is the [`Rule`] of the call, to be asked by policies that name no errors themselves.
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

/// Makes what leads to a policy a policy.
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
    /// A policy in a `static` that is made when it is first used.
    [, F: FnOnce() -> P] LazyLock<P, F>,
);
