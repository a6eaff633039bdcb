use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    clock::sleep::{Watching, poll_punctually},
    failure::GiveUpReason,
};

/// What a hook returns in the end: nothing, or a `Result` whose `Err` ends the retrying.
#[diagnostic::on_unimplemented(
    message = "a hook returns `()` or a `Result`, found `{Self}`",
    label = "expected `()` or a `Result`",
    note = "end the hook with `;` to drop the value"
)]
pub trait HookResult {
    /// Returns whether the retrying may go on.
    fn succeeded(&self) -> bool;
}

impl HookResult for () {
    fn succeeded(&self) -> bool {
        true
    }
}

impl<T, X> HookResult for Result<T, X> {
    fn succeeded(&self) -> bool {
        self.is_ok()
    }
}

/// What calling a hook returns: its result, or a future of it.
///
/// `M` marks which of the two, so that the caller need not say it.
#[diagnostic::on_unimplemented(
    message = "a hook returns `()`, a `Result`, or a future of one, found `{Self}`",
    label = "not the result of a hook",
    note = "end the hook with `;` to drop the value"
)]
pub trait HookOutput<M> {
    /// A future that returns whether the retrying may go on.
    type Finish: Future<Output = bool>;

    /// Waits for the result.
    fn finish(self) -> Self::Finish;
}

/// Marks hooks that return their result.
#[derive(Debug)]
pub struct Sync;

/// Marks hooks that return a future.
#[derive(Debug)]
pub struct Async;

impl HookOutput<Sync> for () {
    type Finish = Ready<bool>;

    fn finish(self) -> Ready<bool> {
        ready(true)
    }
}

impl<T, X> HookOutput<Sync> for Result<T, X> {
    type Finish = Ready<bool>;

    fn finish(self) -> Ready<bool> {
        ready(self.is_ok())
    }
}

impl<F: HookFuture> HookOutput<Async> for F {
    type Finish = Succeeded<F>;

    fn finish(self) -> Succeeded<F> {
        Succeeded { hook: self }
    }
}

/// The future of a hook; a trait of its own, so that a value of another type gets a single error.
#[diagnostic::on_unimplemented(
    message = "a hook returns `()`, a `Result`, or a future of one, found `{Self}`",
    label = "not the result of a hook",
    note = "end the hook with `;` to drop the value"
)]
pub trait HookFuture {
    /// Polls the hook; when it is ready, returns whether the retrying may go on.
    fn poll_hook(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool>;
}

// Without this, rustc reports that the hook's value is not a future.
#[diagnostic::do_not_recommend]
impl<F: Future<Output: HookResult>> HookFuture for F {
    fn poll_hook(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        self.poll(context).map(|result| result.succeeded())
    }
}

pin_project! {
    /// Returns whether an async hook succeeded.
    #[derive(Debug)]
    pub struct Succeeded<F> {
        #[pin]
        hook: F,
    }
}

impl<F: HookFuture> Future for Succeeded<F> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        self.project().hook.poll_hook(context)
    }
}

/// Calls a hook of a blocking function.
///
/// # Errors
///
/// Returns [`GiveUpReason::HookFailed`] if the hook failed.
pub fn check_hook(result: &impl HookResult) -> Result<(), GiveUpReason> {
    if result.succeeded() { Ok(()) } else { Err(GiveUpReason::HookFailed) }
}

/// How long a hook can take: until the deadline of the call, or until the call is cancelled.
#[derive(Debug)]
pub struct Patience<W> {
    pub(crate) deadline: Option<Instant>,
    pub(crate) watch: W,
}

/// Waits for a hook, for at most as long as its `patience`.
///
/// # Errors
///
/// The future returns why the retrying ends: the hook failed, the deadline has passed, or the call was cancelled.
pub fn run_hook<M, H: HookOutput<M>, W>(patience: Patience<W>, output: H) -> HookRun<H::Finish, W> {
    let Patience { deadline, watch } = patience;
    HookRun { hook: output.finish(), deadline, alarm: None, watch }
}

pin_project! {
    /// A running hook.
    #[derive(Debug)]
    pub struct HookRun<F, W> {
        #[pin]
        hook: F,
        deadline: Option<Instant>,
        // Set up only if the hook is not ready at once.
        #[pin]
        alarm: Option<Sleep>,
        #[pin]
        watch: W,
    }
}

impl<F: Future<Output = bool>, W: Watching> Future for HookRun<F, W> {
    type Output = Result<(), GiveUpReason>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Polled first, so that a hook that does not wait finishes, however late it is.
        if let Poll::Ready(succeeded) = this.hook.poll(context) {
            return Poll::Ready(if succeeded { Ok(()) } else { Err(GiveUpReason::HookFailed) });
        }
        if this.watch.is_over(context) {
            return Poll::Ready(Err(GiveUpReason::Cancelled));
        }
        if let Some(deadline) = this.deadline.take() {
            this.alarm.set(Some(sleep_until(deadline)));
        }
        match this.alarm.as_pin_mut() {
            Some(alarm) => poll_punctually(alarm, context).map(|()| Err(GiveUpReason::Deadline)),
            None => Poll::Pending,
        }
    }
}
