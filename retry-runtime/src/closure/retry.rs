use std::{
    fmt,
    future::{Future, IntoFuture},
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::{
    call::{Call, scope::Scoped},
    clock::{Clock, Clocked, sleep::Rest},
    failure::{RepresentsAbort, info::FailureInfo},
    policy::{ByDisposition, Decide, Policy},
    telemetry::name::Unnamed,
};
use pin_project_lite::pin_project;

/// Retries an operation under a policy: the closure form of `#[retryable]`.
///
/// The operation is called once per attempt and returns a new future each time.
/// Nothing happens until the value is awaited; dropping the future cancels the call.
/// The settings of a call can be given in any order, with one exception: if the error type does not implement
/// [`Classify`](crate::failure::classify::Classify), `on` or `when` must come before the first hook and before `name`.
///
/// Also available as `policy.retry(operation)` and, through [`RetryOperation`], as `operation.retry(policy)`.
///
/// ```
/// use retry_runtime::RetryPolicy;
/// use std::{cell::Cell, io, time::Duration};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let repaired = Cell::new(false);
/// let value = RetryPolicy::constant(Duration::ZERO)
///     .retry(async || if repaired.get() { Ok(7) } else { Err(io::Error::other("wrong type")) })
///     .when(|error| error.kind() == io::ErrorKind::Other)
///     .on_failure(async |_| repaired.set(true))
///     .await?;
/// assert_eq!(value, 7);
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub fn retry<P, Op, Fut, T, E>(policy: P, operation: Op) -> Retry<P, Op>
where
    P: Policy,
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    Retry { policy, operation, rule: ByDisposition::default(), wants_other: NoValue }
}

/// Calls [`retry`] as a method of the operation.
///
/// ```
/// use retry_runtime::{RetryPolicy, closure::RetryOperation};
/// use std::{io, time::Duration};
///
/// async fn lookup() -> io::Result<u32> {
///     Ok(7)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// assert_eq!(lookup.retry(RetryPolicy::exponential()).await?, 7);
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub trait RetryOperation<Fut>: FnMut() -> Fut + Sized {
    /// Retries this operation under `policy`.
    fn retry<P: Policy, T, E>(self, policy: P) -> Retry<P, Self>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        retry(policy, self)
    }
}

impl<Op: FnMut() -> Fut, Fut> RetryOperation<Fut> for Op {}

/// A call in the closure form, to configure and await; created by [`retry`].
#[must_use = "nothing happens until the call is awaited"]
pub struct Retry<P, Op, V = NoValue> {
    pub(crate) policy: P,
    pub(crate) operation: Op,
    pub(crate) rule: ByDisposition,
    pub(crate) wants_other: V,
}

/// The `on_ok` of a call without one: no value is retried.
#[derive(Debug, Clone, Copy)]
pub struct NoValue;

/// Decides which values to retry.
pub trait RetryValue<T>: sealed::Sealed<T> {
    /// Returns whether to retry the value.
    fn is_not_wanted_yet(&self, value: &T) -> bool;
}

impl<T> RetryValue<T> for NoValue {
    #[inline]
    fn is_not_wanted_yet(&self, _: &T) -> bool {
        false
    }
}

impl<T, F: Fn(&T) -> bool> RetryValue<T> for F {
    fn is_not_wanted_yet(&self, value: &T) -> bool {
        self(value)
    }
}

mod sealed {
    pub trait Sealed<T> {}
    impl<T> Sealed<T> for super::NoValue {}
    impl<T, F: Fn(&T) -> bool> Sealed<T> for F {}
}

impl<P: fmt::Debug, Op, V> fmt::Debug for Retry<P, Op, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Retry").field("policy", &self.policy).finish_non_exhaustive()
    }
}

type BareClock<P> = <<P as Policy>::Timing as Clocked>::Bare;

impl<P, Op, Fut, T, E, V> IntoFuture for Retry<P, Op, V>
where
    P: Decide<E, ByDisposition, Timing: Clocked>,
    E: fmt::Debug + RepresentsAbort<<BareClock<P> as Clock>::Limit>,
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    V: RetryValue<T>,
{
    type Output = Result<T, E>;
    type IntoFuture = RetryFuture<P, Op, Fut, V>;

    fn into_future(self) -> Self::IntoFuture {
        RetryFuture { retry: self, call: None, step: Step::Begin }
    }
}

pin_project! {
    /// The future of a [`Retry`] without hooks.
    #[must_use = "futures do nothing unless polled"]
    pub struct RetryFuture<P, Op, Fut, V>
    where
        P: Policy,
        P::Timing: Clocked,
        Fut: Future,
    {
        retry: Retry<P, Op, V>,
        // Created at the first poll: the call starts with its first attempt.
        call: Option<Call<P::State, BareClock<P>, Unnamed>>,
        #[pin]
        step: StepOf<P, Fut>,
    }
}

type StepOf<P, Fut> = Step<
    Scoped<<BareClock<P> as Clock>::Running<Fut>>,
    Rest<<BareClock<P> as Clock>::Watch>,
    <BareClock<P> as Clock>::Kept<(<Fut as Future>::Output, FailureInfo)>,
>;

pin_project! {
    #[project = StepProjection]
    enum Step<A, W, K> {
        Begin,
        Attempt { #[pin] running: A },
        Wait { #[pin] rest: W, kept: K },
    }
}

impl<P, Op, Fut, T, E, V> Future for RetryFuture<P, Op, Fut, V>
where
    P: Decide<E, ByDisposition, Timing: Clocked>,
    E: fmt::Debug + RepresentsAbort<<BareClock<P> as Clock>::Limit>,
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    V: RetryValue<T>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let retry = this.retry;
        let call = this.call.get_or_insert_with(|| {
            let mut call = Call::start(&retry.policy);
            call.open(Unnamed);
            call
        });
        loop {
            match this.step.as_mut().project() {
                StepProjection::Begin => {
                    let begun = call.begin(&retry.policy);
                    this.step.set(Step::Attempt { running: call.run(begun, (retry.operation)()) });
                }
                StepProjection::Attempt { running } => {
                    let ended = ready!(call.watch_panics(|| running.poll(context)));
                    let keep = |value: &T| retry.wants_other.is_not_wanted_yet(value);
                    let failed = match call.finish_wanted(Unnamed, ended, keep) {
                        Ok(outcome) => return Poll::Ready(outcome),
                        Err((failed, _)) => failed,
                    };
                    let failed = call.explain(Unnamed, failed, Some(E::fmt));
                    match call.settle(Unnamed, &retry.policy, &retry.rule, failed) {
                        ControlFlow::Break(outcome) => return Poll::Ready(outcome),
                        ControlFlow::Continue(paused) => {
                            let rest = call.rest(paused.delay);
                            this.step.set(Step::Wait { rest, kept: paused.kept });
                        }
                    }
                }
                StepProjection::Wait { rest, kept } => {
                    ready!(rest.poll(context));
                    if let Some((kept, reason)) = call.resume(std::mem::take(kept)) {
                        return Poll::Ready(call.fail(kept, reason));
                    }
                    this.step.set(Step::Begin);
                }
            }
        }
    }
}

impl<P, Op, Fut, V> fmt::Debug for RetryFuture<P, Op, Fut, V>
where
    P: Policy<Timing: Clocked> + fmt::Debug,
    Fut: Future,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RetryFuture")
            .field("policy", &self.retry.policy)
            .finish_non_exhaustive()
    }
}
