use std::{future::Future, time::Duration};

use super::{BlockingRetry, Retry, retry, retry_blocking};
use crate::{
    overload::{Budget, CircuitBreaker},
    policy::{
        Composite, DynPolicy, Guarded, Limited, MayAbort, Measured, Named, Nested, Never,
        NeverAborts, On, Policy, RetryPolicy, Untimed,
    },
};

/// Writes the methods that start a call, for the policies of this crate.
macro_rules! start {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Retries an operation under this policy; see [`retry()`].
            pub fn retry<Op, Fut, Value, Failed>(self, operation: Op) -> Retry<Self, Op>
            where
                Self: Policy,
                Op: FnMut() -> Fut,
                Fut: Future<Output = Result<Value, Failed>>,
            {
                retry(self, operation)
            }

            /// Retries an operation that blocks its thread; see [`retry_blocking()`].
            pub fn retry_blocking<Op, Value, Failed>(self, operation: Op) -> BlockingRetry<Self, Op>
            where
                Self: Policy,
                Op: FnMut() -> Result<Value, Failed>,
            {
                retry_blocking(self, operation)
            }
        }
    )*};
}

start!([B, R, T] RetryPolicy<B, R, T>, [A, B] Composite<A, B>, [P, M] On<P, M>, [P, T] Limited<P, T>, [] Never);
start!([Error, Timing] DynPolicy<Error, Timing>, [P, K] Guarded<P, K>);

/// The methods of the built-in policies, for policies of your own.
///
/// The policies of this crate have inherent methods of the same names, most of them `const`, which take precedence.
///
/// ```
/// use retry_runtime::{
///     Failure, GiveUpReason, PolicyExt, backoff::Random,
///     policy::{Decide, Decision, Policy, Untimed},
/// };
/// use std::{io, time::Duration};
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
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let answer = Stubborn(3).deadline(Duration::from_secs(1)).retry(async || Ok::<_, io::Error>(42)).await?;
/// assert_eq!(answer, 42);
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub trait PolicyExt: Policy + Sized {
    /// Limits the whole call; see [`RetryPolicy::deadline`].
    fn deadline(self, deadline: Duration) -> Limited<Self> {
        Limited { policy: self, timing: Untimed.deadline(deadline) }
    }

    /// Limits each attempt; see [`RetryPolicy::attempt_timeout`].
    fn attempt_timeout(self, timeout: Duration) -> Limited<Self> {
        Limited { policy: self, timing: Untimed.attempt_timeout(timeout) }
    }

    /// Begins no retry once `limit` has passed; see [`RetryPolicy::retry_for`].
    fn retry_for(self, limit: Duration) -> Limited<Self, Measured> {
        Limited { policy: self, timing: Untimed.retry_for(limit) }
    }

    /// Retries the errors that `rule` names, and only those; see [`RetryPolicy::on`].
    ///
    /// Has no effect on a policy that never asks the rule of the call.
    fn on<M>(self, rule: M) -> On<Self, Named<M>> {
        On::new(self, rule)
    }

    /// Retries with this policy or another, whichever matches; see [`Composite`].
    fn or<Other>(self, other: Other) -> Composite<Self, Other> {
        Composite::new(self, other)
    }

    /// Takes every retry from a budget; see [`Guarded::budget`].
    fn budget(self, budget: &Budget) -> Guarded<Self, NeverAborts> {
        Guarded::<_, NeverAborts>::new(self).budget(budget)
    }

    /// Makes no attempt while a circuit breaker is open; see [`Guarded::breaker`].
    fn breaker(self, breaker: &CircuitBreaker) -> Guarded<Self, MayAbort> {
        Guarded::<_, MayAbort>::new(self).breaker(breaker)
    }

    /// Ends a call when a token is cancelled; see [`Guarded::cancel`].
    #[cfg(feature = "cancel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
    fn cancel(self, token: &tokio_util::sync::CancellationToken) -> Guarded<Self, MayAbort> {
        Guarded::<_, MayAbort>::new(self).cancel(token)
    }

    /// Chooses which of two nested calls retries; see [`Guarded::nested`].
    fn nested(self, nested: Nested) -> Guarded<Self, NeverAborts> {
        Guarded::<_, NeverAborts>::new(self).nested(nested)
    }

    /// Forgets the failures before an attempt that ran for at least `healthy`; see [`Guarded::reset_after`].
    fn reset_after(self, healthy: Duration) -> Guarded<Self, NeverAborts> {
        Guarded::<_, NeverAborts>::new(self).reset_after(healthy)
    }

    /// Ends a call that has been failing for too long; see [`Guarded::give_up_after`].
    fn give_up_after(self, failing: Duration) -> Guarded<Self, NeverAborts> {
        Guarded::<_, NeverAborts>::new(self).give_up_after(failing)
    }

    /// Retries an operation under this policy; see [`retry()`].
    fn retry<Op, Fut, T, E>(self, operation: Op) -> Retry<Self, Op>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        retry(self, operation)
    }

    /// Retries an operation that blocks its thread; see [`retry_blocking()`].
    fn retry_blocking<Op, T, E>(self, operation: Op) -> BlockingRetry<Self, Op>
    where
        Op: FnMut() -> Result<T, E>,
    {
        retry_blocking(self, operation)
    }
}

impl<P: Policy> PolicyExt for P {}
