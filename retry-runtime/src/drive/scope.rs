//! What an attempt tells the calls inside it, through the thread that polls it.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::Nested;

/// The attempt of a retrying call that the code runs in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enclosing {
    /// Its number; 0 outside of all.
    pub(crate) attempt: u32,
    /// How many attempts all enclosing calls may make together; 0 if that is not known.
    pub(crate) together: u32,
    /// Who retries, if calls inside fail.
    pub(crate) nested: Nested,
    /// Whether a call inside has retried.
    retried: bool,
}

impl Enclosing {
    const NONE: Self = Self { attempt: 0, together: 1, nested: Nested::Allow, retried: false };

    /// Returns how many attempts all calls may make with one inside that makes up to `attempts`.
    pub(crate) fn multiplied(&self, attempts: Option<u32>) -> Option<u32> {
        Some(self.together).filter(|together| *together > 0)?.checked_mul(attempts?)
    }
}

thread_local! {
    static ENCLOSING: Cell<Enclosing> = const { Cell::new(Enclosing::NONE) };
    /// Whether a call inside the attempt that ended last has retried.
    static RETRIED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the attempt that the code runs in.
pub(crate) fn enclosing() -> Enclosing {
    ENCLOSING.get()
}

/// Tells the enclosing attempt that a call inside it retries.
pub(crate) fn mark_retried() {
    ENCLOSING.set(Enclosing { retried: true, ..ENCLOSING.get() });
}

/// Tells whether a call inside the attempt that just ended has retried.
pub(crate) fn was_retried_inside() -> bool {
    RETRIED.replace(false)
}

/// Returns the number of the attempt that the code runs in, across functions: what the `attempt` argument of
/// `#[retryable]` is to the body, this is to what the body calls.
///
/// It is 1 in a first attempt, and outside of all retrying calls; what is spawned from a body is outside.
/// Inside nested calls it is that of the innermost one that retries.
///
/// ```
/// use retry_runtime::{RetryPolicy, current_attempt};
/// use std::{io, time::Duration};
///
/// async fn lookup() -> io::Result<u32> {
///     // Asks another server from the second attempt on.
///     if current_attempt() > 1 { Ok(7) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// assert_eq!(RetryPolicy::constant(Duration::ZERO).retry(lookup).await?, 7);
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
pub fn current_attempt() -> u32 {
    ENCLOSING.get().attempt.max(1)
}

/// An attempt that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// Its number, counted from 1.
    pub attempt: u32,
    // Asked of the policy only if the calls inside are told.
    pub(crate) attempts: u32,
    pub(crate) nested: Nested,
}

impl Begun {
    /// Whether calls inside are told of the attempt: a first one costs nothing unless it was asked for.
    #[inline]
    fn is_told(self) -> bool {
        self.attempt > 1 || self.nested != Nested::Allow
    }

    /// Runs a blocking attempt.
    #[inline]
    pub(crate) fn scoped<T>(self, run: impl FnOnce() -> T) -> T {
        if self.is_told() { self.run(&mut false, run) } else { run() }
    }

    /// Runs what calls inside the attempt are told of, on this thread.
    pub(crate) fn run<T>(self, retried: &mut bool, run: impl FnOnce() -> T) -> T {
        let outer = ENCLOSING.get();
        let nested = if outer.nested == Nested::OuterOnly { outer.nested } else { self.nested };
        let together = outer.together.saturating_mul(self.attempts);
        let inner = Enclosing { attempt: self.attempt, together, nested, retried: *retried };
        let _restore = Restore { outer };
        ENCLOSING.set(inner);
        let result = run();
        *retried = ENCLOSING.get().retried;
        RETRIED.set(*retried);
        result
    }
}

/// Leaves an attempt, also when it panics; what retried inside it retried inside the enclosing one too.
struct Restore {
    outer: Enclosing,
}

impl Drop for Restore {
    fn drop(&mut self) {
        let retried = self.outer.retried || ENCLOSING.get().retried;
        ENCLOSING.set(Enclosing { retried, ..self.outer });
    }
}

pin_project! {
    /// An attempt of which the calls inside are told.
    #[derive(Debug)]
    pub struct Scoped<F> {
        begun: Begun,
        retried: bool,
        #[pin]
        attempt: F,
    }
}

impl<F> Scoped<F> {
    #[inline]
    pub(crate) fn new(begun: Begun, attempt: F) -> Self {
        Self { begun, retried: false, attempt }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !this.begun.is_told() {
            return this.attempt.poll(context);
        }
        this.begun.run(this.retried, || this.attempt.poll(context))
    }
}
