use std::{future::Future, time::Duration};

use crate::{
    Composite, DynPolicy, Limited, Limits, Never, On, Policy, Retry, RetryPolicy, retry::retry,
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
