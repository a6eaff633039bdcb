use std::future::Future;

use tokio::time::{Instant, timeout_at};

use crate::Reason;

/// What a hook returns in the end: nothing, or a `Result` whose `Err` ends the retrying.
#[diagnostic::on_unimplemented(
    message = "a hook returns `()` or a `Result`, found `{Self}`",
    label = "expected `()` or a `Result`",
    note = "end the hook with `;` to drop the value"
)]
pub trait HookResult {
    /// Tells whether the retrying may go on.
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
/// `M` marks which of the two, so that both can be told apart without the caller saying so.
#[diagnostic::on_unimplemented(
    message = "a hook returns `()`, a `Result`, or a future of one, found `{Self}`",
    label = "not the result of a hook",
    note = "end the hook with `;` to drop the value"
)]
pub trait HookOutput<M> {
    /// Waits for the result and tells whether the retrying may go on.
    fn finish(self) -> impl Future<Output = bool>;
}

/// Marks hooks that return their result.
#[derive(Debug)]
pub struct Sync;

/// Marks hooks that return a future.
#[derive(Debug)]
pub struct Async;

impl HookOutput<Sync> for () {
    fn finish(self) -> impl Future<Output = bool> {
        std::future::ready(true)
    }
}

impl<T, X> HookOutput<Sync> for Result<T, X> {
    fn finish(self) -> impl Future<Output = bool> {
        std::future::ready(self.is_ok())
    }
}

impl<F: Future<Output: HookResult>> HookOutput<Async> for F {
    async fn finish(self) -> bool {
        self.await.succeeded()
    }
}

/// Calls a hook of a blocking function.
///
/// # Errors
///
/// Returns [`Reason::HookFailed`] if the hook failed.
pub fn check_hook(result: &impl HookResult) -> Result<(), Reason> {
    if result.succeeded() { Ok(()) } else { Err(Reason::HookFailed) }
}

/// Waits for a hook, at most until the deadline of the call.
///
/// # Errors
///
/// Returns the reason why the retrying ends: the hook failed, or the deadline has passed.
pub async fn run_hook<M>(
    deadline: Option<Instant>,
    output: impl HookOutput<M>,
) -> Result<(), Reason> {
    let succeeded = match deadline {
        None => output.finish().await,
        Some(deadline) => {
            timeout_at(deadline, output.finish()).await.map_err(|_| Reason::Deadline)?
        }
    };
    if succeeded { Ok(()) } else { Err(Reason::HookFailed) }
}
