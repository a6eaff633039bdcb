//! Backoffs: how long to wait before the next attempt.
//!
//! A [`RetryPolicy`](crate::RetryPolicy) holds one: [`Exponential`] by default, [`Constant`], or your own [`Backoff`].

mod constant;
mod exponential;
pub(crate) mod jitter;
pub(crate) mod random;

pub use self::{constant::Constant, exponential::Exponential, jitter::Jitter, random::Random};

use std::time::Duration;

/// Decides how long to wait before the next attempt.
///
/// A backoff of your own needs one method:
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
    /// Returns the delay before the retry that `wait` describes.
    ///
    /// Called once per retry, never before the first attempt.
    /// [`Duration::ZERO`] retries at once, after a yield to other tasks.
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

/// The retry for which a [`Backoff`] chooses the delay, and a source of randomness.
#[derive(Debug)]
pub struct RetryContext<'a> {
    retry: u32,
    previous: Option<Duration>,
    random: &'a mut Random,
}

impl<'a> RetryContext<'a> {
    /// Describes a retry, to call a [`Backoff`] by hand.
    ///
    /// `retry` counts from 1; 0 counts as 1.
    /// `previous` is the delay before the previous retry, if there was one.
    pub fn new(retry: u32, previous: Option<Duration>, random: &'a mut Random) -> Self {
        Self { retry: if retry == 0 { 1 } else { retry }, previous, random }
    }

    /// Returns the number of the retry to come, counted from 1.
    pub fn retry(&self) -> u32 {
        self.retry
    }

    /// Returns the previous delay of this call, or `None` before the first retry.
    pub fn previous(&self) -> Option<Duration> {
        self.previous
    }

    /// Returns a uniformly distributed number in `0.0 .. 1.0`.
    pub fn random(&mut self) -> f64 {
        self.random.unit()
    }

    /// Returns a uniformly distributed duration from the range, both ends included.
    pub fn between(&mut self, range: std::ops::RangeInclusive<Duration>) -> Duration {
        self.random.between(range)
    }
}
