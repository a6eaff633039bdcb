//! The methods that build one policy from another.
//!
//! They are inherent for the policies of this crate, because trait methods cannot be `const`; `PolicyExt` gives the same
//! methods to every other policy.

use std::time::Duration;

use super::{
    Composite, DynPolicy, Guarded, Limited, MayAbort, Measured, Named, Nested, Never, NeverAborts,
    On, RetryPolicy, Timed, Untimed,
};
use crate::overload::{Budget, CircuitBreaker};

/// Writes the methods that wrap a policy, whatever its type.
macro_rules! combine {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Retries with this policy or another, whichever matches; see [`Composite`].
            pub const fn or<Other>(self, other: Other) -> Composite<Self, Other> {
                Composite::new(self, other)
            }

            /// Takes every retry from a budget; see [`Guarded`].
            pub fn budget(self, budget: &Budget) -> Guarded<Self, NeverAborts> {
                Guarded::<_, NeverAborts>::new(self).budget(budget)
            }

            /// Makes no attempt while a circuit breaker is open; see [`Guarded`].
            pub fn breaker(self, breaker: &CircuitBreaker) -> Guarded<Self, MayAbort> {
                Guarded::<_, MayAbort>::new(self).breaker(breaker)
            }

            /// Ends a call when a token is cancelled; see [`Guarded`].
            #[cfg(feature = "cancel")]
            #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
            pub fn cancel(
                self,
                token: &tokio_util::sync::CancellationToken,
            ) -> Guarded<Self, MayAbort> {
                Guarded::<_, MayAbort>::new(self).cancel(token)
            }

            /// Chooses which of two nested calls retries; see [`Guarded::nested`].
            pub fn nested(self, nested: Nested) -> Guarded<Self, NeverAborts> {
                Guarded::<_, NeverAborts>::new(self).nested(nested)
            }

            /// Resets the retry count and the backoff after a healthy attempt; see [`Guarded::reset_after`].
            pub fn reset_after(self, healthy: Duration) -> Guarded<Self, NeverAborts> {
                Guarded::<_, NeverAborts>::new(self).reset_after(healthy)
            }

            /// Ends a call that has been failing for too long; see [`Guarded::give_up_after`].
            pub fn give_up_after(self, failing: Duration) -> Guarded<Self, NeverAborts> {
                Guarded::<_, NeverAborts>::new(self).give_up_after(failing)
            }
        }
    )*};
}

combine!([B, R, T] RetryPolicy<B, R, T>, [A, B] Composite<A, B>, [P, M] On<P, M>, [P, T] Limited<P, T>, [] Never);
combine!([Error, Timing] DynPolicy<Error, Timing>);

/// Writes the limits and the rule of a policy that does not keep them itself.
macro_rules! wrap {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Limits the whole call, from the start of its first attempt; see [`RetryPolicy::deadline`].
            pub const fn deadline(self, deadline: Duration) -> Limited<Self> {
                Limited { policy: self, timing: Untimed.deadline(deadline) }
            }

            /// Limits each attempt; see [`RetryPolicy::attempt_timeout`].
            pub const fn attempt_timeout(self, attempt_timeout: Duration) -> Limited<Self> {
                Limited { policy: self, timing: Untimed.attempt_timeout(attempt_timeout) }
            }

            /// Begins no retry once `limit` has passed; see [`RetryPolicy::retry_for`].
            pub const fn retry_for(self, limit: Duration) -> Limited<Self, Measured> {
                Limited { policy: self, timing: Untimed.retry_for(limit) }
            }
        }
    )*};
}

wrap!([A, B] Composite<A, B>, [P, M] On<P, M>, [] Never, [Error, Timing] DynPolicy<Error, Timing>);
wrap!([A, B, K] Guarded<Composite<A, B>, K>, [P, M, K] Guarded<On<P, M>, K>, [K] Guarded<Never, K>);
wrap!([P, T, K] Guarded<Limited<P, T>, K>, [Error, Timing, K] Guarded<DynPolicy<Error, Timing>, K>);

/// Writes the rule of a policy that does not keep it itself.
macro_rules! name_errors {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Retries the errors that `rule` names, and only those; see [`RetryPolicy::on`].
            pub const fn on<Rule>(self, rule: Rule) -> On<Self, Named<Rule>> {
                On::new(self, rule)
            }
        }
    )*};
}

name_errors!([A, B] Composite<A, B>, [P, M] On<P, M>, [P, T] Limited<P, T>, [] Never);
name_errors!([A, B, K] Guarded<Composite<A, B>, K>, [P, M, K] Guarded<On<P, M>, K>, [K] Guarded<Never, K>);
name_errors!([P, T, K] Guarded<Limited<P, T>, K>, [Error, Timing, K] Guarded<DynPolicy<Error, Timing>, K>);
name_errors!([Error, Timing] DynPolicy<Error, Timing>);

impl<P> Limited<P, Timed> {
    /// Sets the limit on the whole call; see [`RetryPolicy::deadline`].
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.timing = self.timing.deadline(deadline);
        self
    }

    /// Sets the limit on one attempt; see [`RetryPolicy::attempt_timeout`].
    pub const fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.timing = self.timing.attempt_timeout(attempt_timeout);
        self
    }

    /// Sets the time after which no retry begins; see [`RetryPolicy::retry_for`].
    pub const fn retry_for(mut self, limit: Duration) -> Self {
        self.timing = self.timing.retry_for(limit);
        self
    }
}

impl<P> Limited<P, Measured> {
    /// Sets the limit on the whole call; see [`RetryPolicy::deadline`].
    pub const fn deadline(self, deadline: Duration) -> Limited<Self> {
        Limited { policy: self, timing: Untimed.deadline(deadline) }
    }

    /// Sets the limit on one attempt; see [`RetryPolicy::attempt_timeout`].
    pub const fn attempt_timeout(self, attempt_timeout: Duration) -> Limited<Self> {
        Limited { policy: self, timing: Untimed.attempt_timeout(attempt_timeout) }
    }

    /// Sets the time after which no retry begins; see [`RetryPolicy::retry_for`].
    pub const fn retry_for(mut self, limit: Duration) -> Self {
        self.timing = self.timing.retry_for(limit);
        self
    }
}
