use std::fmt;

use super::{NoValue, RetryValue, hook::NoHook};
use crate::{
    call::{Call, Verdict},
    clock::{Clock, Clocked},
    failure::{Failure, RepresentsAbort},
    policy::{ByDisposition, Decide, Idempotence, Named, On, Policy, Timing, Uninterrupted},
    telemetry::name::Unnamed,
};

/// Retries an operation that blocks its thread, without a runtime: the closure form of `#[retryable(blocking)]`.
///
/// Also available as `policy.retry_blocking(operation)`; the thread sleeps between attempts.
/// Nothing can abort a blocking attempt: a deadline only prevents later retries, and an attempt timeout has no effect.
/// Inside a runtime, call it where blocking is allowed, such as in `tokio::task::spawn_blocking`.
///
/// ```
/// use retry_runtime::RetryPolicy;
/// use std::{fs::File, io, time::Duration};
///
/// # let path = std::env::temp_dir();
/// let file = RetryPolicy::constant(Duration::from_millis(10))
///     .retry_blocking(|| File::open(&path))
///     .when(|error| error.kind() == io::ErrorKind::ResourceBusy)
///     .call()?;
/// # drop(file);
/// # Ok::<(), io::Error>(())
/// ```
pub fn retry_blocking<P, Op, T, E>(policy: P, operation: Op) -> BlockingRetry<P, Op>
where
    P: Policy,
    Op: FnMut() -> Result<T, E>,
{
    let rule = ByDisposition::default();
    BlockingRetry { policy, operation, rule, wants_other: NoValue, notify: NoHook }
}

/// A blocking call in the closure form, to configure and then start with [`call`](Self::call); see [`retry_blocking`].
#[must_use = "nothing happens until `call`"]
pub struct BlockingRetry<P, Op, V = NoValue, N = NoHook> {
    policy: P,
    operation: Op,
    rule: ByDisposition,
    wants_other: V,
    notify: N,
}

impl<P, Op, T, E, V, N> BlockingRetry<P, Op, V, N>
where
    Op: FnMut() -> Result<T, E>,
{
    /// Retries the errors named by `rule`, and only those; see [`RetryPolicy::on`](crate::policy::RetryPolicy::on).
    pub fn on<M>(self, rule: M) -> BlockingRetry<On<P, Named<M>>, Op, V, N> {
        let Self { policy, operation, rule: by_disposition, wants_other, notify } = self;
        let policy = On::new(policy, rule);
        BlockingRetry { policy, operation, rule: by_disposition, wants_other, notify }
    }

    /// Retries the errors for which the closure returns `true`, and only those.
    pub fn when<M: Fn(&E) -> bool>(self, rule: M) -> BlockingRetry<On<P, Named<M>>, Op, V, N> {
        self.on(rule)
    }

    /// Also retries the successful values for which the closure returns `true`, such as "still pending".
    ///
    /// When the retries are used up, the caller gets the last value.
    pub fn on_ok<W: Fn(&T) -> bool>(self, wants_other: W) -> BlockingRetry<P, Op, W, N> {
        let Self { policy, operation, rule, notify, .. } = self;
        BlockingRetry { policy, operation, rule, wants_other, notify }
    }

    /// Declares that repeating the operation does no harm, so that unknown outcomes are retried, too.
    pub fn idempotent(self) -> Self {
        Self { rule: ByDisposition::new(Idempotence::Idempotent), ..self }
    }

    /// Calls a closure after every failure that will be retried, to log or count.
    pub fn notify<H: FnMut(&Failure<'_, E>)>(self, hook: H) -> BlockingRetry<P, Op, V, H> {
        let Self { policy, operation, rule, wants_other, .. } = self;
        BlockingRetry { policy, operation, rule, wants_other, notify: hook }
    }

    /// Makes the call.
    ///
    /// # Errors
    ///
    /// Returns the operation's last error, or the converted [`Aborted`](crate::Aborted) if an open breaker or a cancellation
    /// refused the first attempt.
    pub fn call(self) -> Result<T, E>
    where
        P: Decide<E, ByDisposition, Timing: Timing<Uninterrupted: Clocked>>,
        E: fmt::Debug + RepresentsAbort<<UninterruptedClock<P> as Clock>::Limit>,
        V: RetryValue<T>,
        N: BlockingHook<E>,
    {
        let Self { policy, mut operation, rule, wants_other, mut notify } = self;
        let policy = Uninterrupted(policy);
        let mut call = Call::watched(&policy);
        call.open(Unnamed);
        let over = loop {
            let begun = call.begin(&policy);
            let ended = call.run_blocking(begun, &mut operation);
            let keep = |value: &T| wants_other.is_not_wanted_yet(value);
            let failed = match call.finish_wanted(Unnamed, ended, keep) {
                Ok(outcome) => return outcome,
                Err((failed, _)) => failed,
            };
            let failed = call.explain(Unnamed, failed, Some(E::fmt));
            let retry = match call.judge(Unnamed, &policy, &rule, failed) {
                Verdict::GiveUp(over) => break over,
                Verdict::Retry(retry) => retry,
            };
            notify.notify(&call.failure(&retry));
            let paused = match call.let_go(retry, Ok(())) {
                Ok(paused) => paused,
                Err(over) => break over,
            };
            if let Some((retry, reason)) = call.wait_blocking(paused) {
                break retry.stop(reason);
            }
        };
        call.give_up(&over);
        over.into_outcome()
    }
}

type UninterruptedClock<P> = <<<P as Policy>::Timing as Timing>::Uninterrupted as Clocked>::Watched;

/// The closure of [`BlockingRetry::notify`], if there is one.
pub trait BlockingHook<E> {
    /// Calls it.
    fn notify(&mut self, failure: &Failure<'_, E>);
}

impl<E> BlockingHook<E> for NoHook {
    fn notify(&mut self, _: &Failure<'_, E>) {}
}

impl<E, H: FnMut(&Failure<'_, E>)> BlockingHook<E> for H {
    fn notify(&mut self, failure: &Failure<'_, E>) {
        self(failure);
    }
}

impl<P: fmt::Debug, Op, V, N> fmt::Debug for BlockingRetry<P, Op, V, N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlockingRetry")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
