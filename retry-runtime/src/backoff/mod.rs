//! How long to wait before the next attempt.

mod constant;
mod exponential;
pub(crate) mod jitter;
pub(crate) mod random;

pub use self::{constant::Constant, exponential::Exponential, jitter::Jitter, random::Random};

use std::time::Duration;

/// Decides how long to wait before the next attempt.
///
/// One method makes a backoff of your own:
///
/// ```
/// use retry_runtime::{RetryPolicy, backoff::{Backoff, RetryContext}};
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, Copy)]
/// struct RandomBackoff {
///     max_delay: Duration,
/// }
///
/// impl Backoff for RandomBackoff {
///     fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
///         wait.between(Duration::ZERO..=self.max_delay)
///     }
/// }
///
/// const POLICY: RetryPolicy<RandomBackoff> =
///     RetryPolicy::new(RandomBackoff { max_delay: Duration::from_secs(1) }).retries(3);
/// # let mut random = retry_runtime::backoff::Random::seeded(1);
/// # assert!(POLICY.backoff().delay(&mut RetryContext::new(1, None, &mut random)) <= Duration::from_secs(1));
/// ```
pub trait Backoff {
    /// Returns the wait before retry [`RetryContext::retry`].
    ///
    /// Called once per retry, never before the first attempt.
    /// [`Duration::ZERO`] retries at once, after other tasks had their turn.
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration;
}

impl<B: Backoff + ?Sized> Backoff for &B {
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
        (**self).delay(wait)
    }
}

impl<B: Backoff + ?Sized> Backoff for std::sync::Arc<B> {
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
        (**self).delay(wait)
    }
}

/// Tells a [`Backoff`] which retry it is asked about, and lends it randomness.
#[derive(Debug)]
pub struct RetryContext<'a> {
    retry: u32,
    previous: Option<Duration>,
    random: &'a mut Random,
}

impl<'a> RetryContext<'a> {
    /// Describes one wait, for calling a [`Backoff`] by hand.
    ///
    /// `retry` counts from 1; 0 is taken as 1.
    /// `previous` is the wait before the retry before this one, if there was one.
    pub fn new(retry: u32, previous: Option<Duration>, random: &'a mut Random) -> Self {
        Self { retry: if retry == 0 { 1 } else { retry }, previous, random }
    }

    /// Returns the number of the retry to come, counted from 1.
    pub fn retry(&self) -> u32 {
        self.retry
    }

    /// Returns the last wait of this call, or `None` before the first retry.
    pub fn previous(&self) -> Option<Duration> {
        self.previous
    }

    /// Returns a number in `0.0 .. 1.0`, uniformly.
    pub fn random(&mut self) -> f64 {
        self.random.unit()
    }

    /// Returns a duration from the range, both ends included, uniformly.
    pub fn between(&mut self, range: std::ops::RangeInclusive<Duration>) -> Duration {
        self.random.between(range)
    }
}
