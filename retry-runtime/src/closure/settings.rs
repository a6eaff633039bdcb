//! The settings of a call in the closure form, before its hooks and after them.

#![expect(clippy::type_complexity, reason = "an opaque type inside cannot be given a name")]

use std::{future::Future, time::Duration};

use super::{
    Hooked, NoValue, Retry,
    hooked::{Drive, Parts, Run, hooked},
};
use crate::{
    overload::{Budget, CircuitBreaker},
    policy::{
        ByDisposition, Classified, Guarded, Idempotence, Limited, MayAbort, Measured, Named,
        Nested, NeverAborts, On, Untimed,
    },
};

impl<P, Op, V> Retry<P, Op, V> {
    fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Retry<Q, Op, V> {
        let Self { policy, operation, rule, wants_other } = self;
        Retry { policy: change(policy), operation, rule, wants_other }
    }
}

/// Writes each setting twice: for a call without hooks, and for one with hooks.
macro_rules! settings {
    ($(
        $(#[$attribute:meta])*
        fn $name:ident$(<$kind:ident $(: Fn(&$seen:ident) -> bool)?>)?($policy:ident $(, $argument:ident: $type:ty)?) -> $result:ty { $body:expr }
    )*) => {
        impl<P, Op, Fut, T, E, V> Retry<P, Op, V>
        where
            Op: FnMut() -> Fut,
            Fut: Future<Output = Result<T, E>>,
        {
            $(
                $(#[$attribute])*
                pub fn $name$(<$kind $(: Fn(&$seen) -> bool)?>)?(self $(, $argument: $type)?) -> Retry<$result, Op, V> {
                    self.map(|$policy| $body)
                }
            )*
        }

        /// The settings that follow the first hook.
        impl<P, Op, Fut, T, E, V, B, F, G, D> Hooked<Parts<P, Op, V, B, F, G>, D>
        where
            Op: FnMut() -> Fut,
            Fut: Future<Output = Result<T, E>>,
        {
            $(
                $(#[$attribute])*
                pub fn $name$(<$kind $(: Fn(&$seen) -> bool)?>)?(
                    self $(, $argument: $type)?
                ) -> Hooked<
                    Parts<$result, Op, V, B, F, G>,
                    impl Drive<
                        Parts<$result, Op, V, B, F, G>,
                        Future = impl Future<Output = Result<T, E>>,
                    >,
                >
                where
                    Parts<$result, Op, V, B, F, G>: Run<Output = Result<T, E>>,
                {
                    hooked(self.parts.map(|retry| retry.map(|$policy| $body)))
                }
            )*
        }
    };
}

settings! {
    /// Retries the errors named by `rule`, and only those: an error class set, a function, or a closure with a typed
    /// argument.
    fn on<M>(policy, rule: M) -> On<P, Named<M>> { On::new(policy, rule) }

    /// Retries the errors for which the closure returns `true`, and only those.
    ///
    /// The same as `on`, for closures whose argument needs no type.
    fn when<M: Fn(&E) -> bool>(policy, rule: M) -> On<P, Named<M>> { On::new(policy, rule) }

    /// Limits the whole call; see [`RetryPolicy::deadline`](crate::policy::RetryPolicy::deadline).
    fn deadline(policy, deadline: Duration) -> Limited<P> { Limited { policy, timing: Untimed.deadline(deadline) } }

    /// Limits each attempt; see [`RetryPolicy::attempt_timeout`](crate::policy::RetryPolicy::attempt_timeout).
    fn attempt_timeout(policy, timeout: Duration) -> Limited<P> { Limited { policy, timing: Untimed.attempt_timeout(timeout) } }

    /// Begins no retry once `limit` has passed; see [`RetryPolicy::retry_for`](crate::policy::RetryPolicy::retry_for).
    fn retry_for(policy, limit: Duration) -> Limited<P, Measured> { Limited { policy, timing: Untimed.retry_for(limit) } }

    /// Takes every retry from a budget; see [`Guarded::budget`].
    fn budget(policy, budget: &Budget) -> Guarded<P, NeverAborts> { Guarded::<_, NeverAborts>::new(policy).budget(budget) }

    /// Makes no attempt while a circuit breaker is open; see [`Guarded::breaker`].
    fn breaker(policy, breaker: &CircuitBreaker) -> Guarded<P, MayAbort> { Guarded::<_, MayAbort>::new(policy).breaker(breaker) }

    /// Ends the call when a token is cancelled; see [`Guarded::cancel`].
    #[cfg(feature = "cancel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
    fn cancel(policy, token: &tokio_util::sync::CancellationToken) -> Guarded<P, MayAbort> { Guarded::<_, MayAbort>::new(policy).cancel(token) }

    /// Chooses which of two nested calls retries; see [`Guarded::nested`].
    fn nested(policy, nested: Nested) -> Guarded<P, NeverAborts> { Guarded::<_, NeverAborts>::new(policy).nested(nested) }
}

impl<P, Op, Fut, T, E, V> Retry<P, Op, V>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Also retries the successful values for which the closure returns `true`, such as "still pending".
    ///
    /// When the retries are used up, the caller gets the last value.
    pub fn on_ok<W: Fn(&T) -> bool>(self, wants_other: W) -> Retry<P, Op, W> {
        let Self { policy, operation, rule, .. } = self;
        Retry { policy, operation, rule, wants_other }
    }

    /// Declares that repeating the operation does no harm, so that unknown outcomes are retried, too.
    pub fn idempotent(self) -> Self {
        Self { rule: ByDisposition::new(Idempotence::Idempotent), ..self }
    }
}

impl<P, M, Op, V> Retry<On<P, Named<M>>, Op, V> {
    /// Adds the error's own classification to the rule: disposition, class, cost and hint.
    ///
    /// For closures and functions, which only answer yes or no; see [`Classified`].
    pub fn classified(self) -> Retry<On<P, Named<Classified<M>>>, Op, V> {
        self.map(On::classified)
    }
}

impl<P, Op, Fut, T, E, B, F, G, D> Hooked<Parts<P, Op, NoValue, B, F, G>, D>
where
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Also retries the successful values for which the closure returns `true`, such as "still pending".
    ///
    /// When the retries are used up, the caller gets the last value.
    pub fn on_ok<W: Fn(&T) -> bool>(
        self,
        wants_other: W,
    ) -> Hooked<
        Parts<P, Op, W, B, F, G>,
        impl Drive<Parts<P, Op, W, B, F, G>, Future = impl Future<Output = Result<T, E>>>,
    >
    where
        Parts<P, Op, W, B, F, G>: Run<Output = Result<T, E>>,
    {
        hooked(self.parts.map(|retry| retry.on_ok(wants_other)))
    }
}

impl<P, Op, V, B, F, G, D> Hooked<Parts<P, Op, V, B, F, G>, D> {
    /// Declares that repeating the operation does no harm, so that unknown outcomes are retried, too.
    pub fn idempotent(mut self) -> Self {
        self.parts.retry.rule = ByDisposition::new(Idempotence::Idempotent);
        self
    }
}
