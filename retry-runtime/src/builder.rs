use std::{future::Future, time::Duration};

use crate::{
    Budget, CircuitBreaker, Composite, DynPolicy, Guarded, Limited, Limits, MayCut, Nested, Never,
    NeverCuts, On, Policy, Retry, RetryPolicy, retry::retry,
};

/// Writes the methods that every policy has; inherent, because trait methods cannot be `const`.
macro_rules! builder {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Limits the whole call, from the start of its first attempt; see [`Limited`].
            pub const fn deadline(self, deadline: Duration) -> Limited<Self> {
                Limited::new(self, Limits::NONE).deadline(deadline)
            }

            /// Limits each attempt; see [`Limited`].
            pub const fn attempt_timeout(self, attempt_timeout: Duration) -> Limited<Self> {
                Limited::new(self, Limits::NONE).attempt_timeout(attempt_timeout)
            }
        }
    )*};
}

builder!([B] RetryPolicy<B>, [A, B] Composite<A, B>, [P, M] On<P, M>);

/// As [`builder`], for the methods that a limited policy has too.
macro_rules! combine {
    ($([$($generics:ident),*] $policy:ty),* $(,)?) => {$(
        impl<$($generics),*> $policy {
            /// Retries the errors that `rule` names, and only them: the caller has decided.
            ///
            /// A rule is a function or closure `fn(&E) -> bool`, or an error class set.
            pub const fn on<Rule>(self, rule: Rule) -> On<Self, Rule> {
                On { policy: self, rule }
            }

            /// Retries by this policy or by another, whichever matches; see [`Composite`].
            pub const fn or<Other>(self, other: Other) -> Composite<Self, Other> {
                Composite::new(self, other)
            }

            /// Takes every retry from a budget; see [`Guarded`].
            pub fn budget(self, budget: &Budget) -> Guarded<Self, NeverCuts> {
                Guarded::<_, NeverCuts>::new(self).budget(budget)
            }

            /// Makes no attempt while a circuit breaker is open; see [`Guarded`].
            pub fn breaker(self, breaker: &CircuitBreaker) -> Guarded<Self, MayCut> {
                Guarded::<_, MayCut>::new(self).breaker(breaker)
            }

            /// Ends a call when a token is cancelled; see [`Guarded`].
            #[cfg(feature = "cancel")]
            #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
            pub fn cancel(
                self,
                token: &tokio_util::sync::CancellationToken,
            ) -> Guarded<Self, MayCut> {
                Guarded::<_, MayCut>::new(self).cancel(token)
            }

            /// Says which of two calls retries, one inside the other; see [`Guarded`].
            pub fn nested(self, nested: Nested) -> Guarded<Self, NeverCuts> {
                Guarded::<_, NeverCuts>::new(self).nested(nested)
            }

            /// Forgets the failures before an attempt that ran so long; see [`Guarded::reset_after`].
            pub fn reset_after(self, healthy: Duration) -> Guarded<Self, NeverCuts> {
                Guarded::<_, NeverCuts>::new(self).reset_after(healthy)
            }

            /// Ends a call that has failed for so long; see [`Guarded::give_up_after`].
            pub fn give_up_after(self, failing: Duration) -> Guarded<Self, NeverCuts> {
                Guarded::<_, NeverCuts>::new(self).give_up_after(failing)
            }

            /// Retries an operation under this policy; see [`retry()`].
            pub fn retry<Op, Fut, T, E>(self, operation: Op) -> Retry<Self, Op>
            where
                Self: Policy,
                Op: FnMut() -> Fut,
                Fut: Future<Output = Result<T, E>>,
            {
                retry(self, operation)
            }
        }
    )*};
}

combine!([B] RetryPolicy<B>, [A, B] Composite<A, B>, [P, M] On<P, M>, [P] Limited<P>, [] Never);
combine!([Error, Timing] DynPolicy<Error, Timing>);

impl<P, K> Guarded<P, K> {
    /// Retries an operation under this policy; see [`retry()`].
    pub fn retry<Op, Fut, T, E>(self, operation: Op) -> Retry<Self, Op>
    where
        Self: Policy,
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        retry(self, operation)
    }
}
