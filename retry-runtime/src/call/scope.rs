//! What the calls inside an attempt can learn about it, through the thread that polls it.

use std::{
    cell::Cell,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::policy::Nested;

/// The attempt of a retrying call that the code runs in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enclosing {
    /// Its number; 0 outside all attempts.
    pub(crate) attempt: u32,
    /// How many attempts all enclosing calls can make together; 0 if that is unknown.
    pub(crate) together: u32,
    /// Which call retries if a call inside fails.
    pub(crate) nested: Nested,
    /// Whether the call inside that ended last in this poll has retried and failed nevertheless.
    retried: bool,
}

impl Enclosing {
    const NONE: Self = Self { attempt: 0, together: 1, nested: Nested::Allow, retried: false };

    /// Returns how many attempts all calls can make together with one inside that makes up to `attempts`.
    pub(crate) fn multiplied(&self, attempts: Option<u32>) -> Option<u32> {
        Some(self.together).filter(|together| *together > 0)?.checked_mul(attempts?)
    }
}

thread_local! {
    static ENCLOSING: Cell<Enclosing> = const { Cell::new(Enclosing::NONE) };
    /// The same of the attempt that was polled last.
    static RETRIED: Cell<bool> = const { Cell::new(false) };
    /// Whether an attempt panicked, to tell a call that is dropped meanwhile from one that panicked.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the attempt that the code runs in.
pub(crate) fn enclosing() -> Enclosing {
    ENCLOSING.get()
}

/// Reports to the enclosing attempt, if there is one, that a call inside it has ended, and whether it failed although it
/// retried.
pub(crate) fn ended_inside(retried: bool) {
    let enclosing = ENCLOSING.get();
    ENCLOSING.set(Enclosing { retried: retried && enclosing.attempt > 0, ..enclosing });
}

/// Returns whether the attempt that just ended did so together with a call inside it that failed although it retried; the
/// two then count as one failure.
///
/// What becomes of a returned error is not visible, but code that handles it and goes on awaits something: then the
/// attempt ends in a later poll.
pub(crate) fn was_retried_inside() -> bool {
    RETRIED.replace(false)
}

/// Returns whether an attempt panicked on this thread and its calls are not dropped yet.
pub(crate) fn has_panicked() -> bool {
    std::thread::panicking() && PANICKED.replace(false)
}

/// Notes a panic when it is dropped; without a panic it is forgotten, which costs nothing.
struct Unwinding;

impl Drop for Unwinding {
    fn drop(&mut self) {
        PANICKED.set(true);
    }
}

/// Returns the number of the attempt that the code runs in, across functions: what the `attempt` argument of
/// `#[retryable]` is to the body, this is to what the body calls.
///
/// It is 1 in a first attempt and outside all retrying calls; a task that a body spawns is outside.
/// Inside nested calls it is the number of the innermost call that retries.
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

/// An attempt that has begun, and what calls inside it can learn: one word, because every running call carries it, and
/// zero for a first attempt that calls inside do not notice.
///
/// From the highest bit: the number of the attempt, the largest number of attempts, and which call retries.
#[derive(Debug, Clone, Copy)]
pub struct Begun(u64);

impl Begun {
    const ATTEMPT: u32 = 32;
    const ATTEMPTS: u32 = 2;
    const MOST_ATTEMPTS: u32 = u32::MAX >> Self::ATTEMPTS;
    const NESTED: u64 = 0b11;

    /// Begins a first attempt that calls inside do not notice.
    #[inline]
    pub(crate) fn quietly() -> Self {
        Self(0)
    }

    /// Begins an attempt that calls inside notice.
    pub(crate) fn aloud(attempt: u32, attempts: Option<u32>, nested: Nested) -> Self {
        let nested = match nested {
            Nested::Allow => 1,
            Nested::InnerOnly => 2,
            Nested::OuterOnly => 3,
        };
        // Zero means unknown, also in every product; a number that does not fit counts as unknown.
        let attempts = attempts.filter(|attempts| *attempts <= Self::MOST_ATTEMPTS).unwrap_or(0);
        Self(u64::from(attempt) << Self::ATTEMPT | u64::from(attempts) << Self::ATTEMPTS | nested)
    }

    /// Returns the number of the attempt, counted from 1.
    #[inline]
    pub fn attempt(self) -> u32 {
        if self.is_quiet() { 1 } else { (self.0 >> Self::ATTEMPT) as u32 }
    }

    #[inline]
    fn is_quiet(self) -> bool {
        self.0 == 0
    }

    /// Runs a blocking attempt.
    #[inline]
    pub(crate) fn scoped<T>(self, run: impl FnOnce() -> T) -> T {
        let unwinding = Unwinding;
        let result = if self.is_quiet() { run() } else { self.run(run) };
        mem::forget(unwinding);
        result
    }

    /// Runs a part of the attempt on this thread.
    #[expect(clippy::cast_possible_truncation, reason = "masked to 30 bits")]
    fn run<T>(self, run: impl FnOnce() -> T) -> T {
        let outer = ENCLOSING.get();
        let nested = match (outer.nested, self.0 & Self::NESTED) {
            (Nested::OuterOnly, _) | (_, 3) => Nested::OuterOnly,
            (_, 2) => Nested::InnerOnly,
            _ => Nested::Allow,
        };
        let attempts = (self.0 >> Self::ATTEMPTS) as u32 & Self::MOST_ATTEMPTS;
        let _restore = Restore { outer };
        ENCLOSING.set(Enclosing {
            attempt: self.attempt(),
            together: outer.together.saturating_mul(attempts),
            nested,
            retried: false,
        });
        let result = run();
        RETRIED.set(ENCLOSING.get().retried);
        result
    }
}

/// Leaves an attempt, also when it panics; a call that retried inside it also retried inside the enclosing attempt.
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
    /// An attempt that calls inside can notice.
    #[derive(Debug)]
    pub struct Scoped<F> {
        begun: Begun,
        #[pin]
        attempt: F,
    }
}

impl<F> Scoped<F> {
    #[inline]
    pub(crate) fn new(begun: Begun, attempt: F) -> Self {
        Self { begun, attempt }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let unwinding = Unwinding;
        let poll = if this.begun.is_quiet() {
            this.attempt.poll(context)
        } else {
            this.begun.run(|| this.attempt.poll(context))
        };
        mem::forget(unwinding);
        poll
    }
}
