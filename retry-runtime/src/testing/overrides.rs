use std::{cell::RefCell, future::Future, marker::PhantomData, time::Duration};

use crate::{
    backoff::random::Random,
    failure::GiveUpReason,
    policy::{NoRetry, RetryDelay},
};

/// Settings that override the policies of all calls in a scope.
///
/// A scope is a future, see [`scope`](Self::scope), or the time until a guard on this thread is dropped, see
/// [`enter`](Self::enter).
/// Tasks that are spawned inside a scope do not belong to it.
/// Only the innermost scope applies.
///
/// ```
/// use retry_runtime::{RetryPolicy, testing::{Outcomes, Overrides}};
/// use std::io;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // A second call would panic.
/// let outcomes = Outcomes::new([Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused))]);
/// let call = async { RetryPolicy::exponential().retry(async || outcomes.next()).await };
/// assert!(Overrides::new().without_retries().scope(call).await.is_err());
/// # Ok::<(), io::Error>(())
/// # })?;
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "overrides hold in a scope"]
pub struct Overrides {
    attempts: Option<u32>,
    max_delay: Option<Duration>,
    random: Option<Random>,
}

thread_local! {
    static CURRENT: RefCell<Option<Overrides>> = const { RefCell::new(None) };
}

impl Overrides {
    /// Overrides nothing.
    pub const fn new() -> Self {
        Self { attempts: None, max_delay: None, random: None }
    }

    /// Ends every call after its first attempt.
    pub fn without_retries(self) -> Self {
        self.max_attempts(1)
    }

    /// Ends every call after `attempts` attempts, if it does not end sooner; zero counts as one.
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// Caps every delay; with zero, no call waits.
    pub fn max_delay(self, delay: Duration) -> Self {
        Self { max_delay: Some(delay), ..self }
    }

    /// Makes the jitter of the scope repeatable.
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Some(Random::seeded(seed)), ..self }
    }

    /// Runs a future under these overrides, whichever thread polls it.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        // Boxed: a future that is an argument of an `async fn` takes its space twice.
        let mut future = Box::pin(future);
        let mut ours = Some(self);
        std::future::poll_fn(|context| {
            let entered = ours.take().unwrap_or_default().enter();
            let poll = future.as_mut().poll(context);
            // Including the state of the generator.
            ours = CURRENT.take();
            drop(entered);
            poll
        })
        .await
    }

    /// Applies the overrides to this thread until the guard is dropped.
    pub fn enter(self) -> Entered {
        Entered { outer: CURRENT.replace(Some(self)), thread: PhantomData }
    }
}

/// Ends the overrides of a thread when it is dropped.
#[derive(Debug)]
#[must_use = "the overrides end when the guard is dropped"]
pub struct Entered {
    outer: Option<Overrides>,
    // It must be dropped on the thread that it was made on.
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

/// Draws with the generator of the scope, or of the thread.
pub(crate) fn with_random<T>(draw: impl FnOnce(&mut Random) -> T) -> T {
    let ours = CURRENT.with_borrow_mut(|current| current.as_mut()?.random.take());
    let Some(mut random) = ours else { return Random::with_thread_local(draw) };
    let drawn = draw(&mut random);
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.random = Some(random);
        }
    });
    drawn
}

/// Caps a wait, or ends the call.
pub(crate) fn limit(attempt: u32, retry: &mut RetryDelay) -> Result<(), NoRetry> {
    CURRENT.with_borrow(|current| {
        let Some(current) = current else { return Ok(()) };
        if current.attempts.is_some_and(|attempts| attempt >= attempts) {
            return Err(retry.stop(GiveUpReason::RetriesExhausted));
        }
        if let Some(delay) = current.max_delay {
            retry.delay = retry.delay.min(delay);
        }
        Ok(())
    })
}
