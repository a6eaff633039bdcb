//! How long to wait before the next attempt.

pub(crate) mod jitter;
pub(crate) mod random;

pub use self::{jitter::Jitter, random::Random};

use std::time::Duration;

use crate::{
    backoff::{jitter::Delay, random::duration_from_nanos},
    config_error::ConfigError,
};

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

/// Waits the same delay before every retry.
///
/// ```
/// use retry_runtime::{Constant, Jitter};
/// use std::time::Duration;
///
/// // Many clients of one server should not poll it in step.
/// const POLL: Constant = Constant::new(Duration::from_secs(1)).jitter(Jitter::Equal);
/// # assert_eq!(POLL.delay(), Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Constant {
    delay: Duration,
    jitter: Jitter,
}

impl Constant {
    /// Waits `delay`, without jitter; zero retries at once, after other tasks had their turn.
    pub const fn new(delay: Duration) -> Self {
        Self { delay, jitter: Jitter::None }
    }

    /// Randomises the delay.
    ///
    /// [`Jitter::Decorrelated`] and [`Jitter::FromBase`] draw from what a delay has grown by, so they do nothing to this
    /// one; [`check`](Self::check) finds that.
    pub const fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Builds a constant backoff, and checks it.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::JitterNeedsGrowth`] for jitter that does nothing to a constant delay.
    pub const fn checked(delay: Duration, jitter: Jitter) -> Result<Self, ConfigError> {
        Self { delay, jitter }.check()
    }

    /// Returns the backoff, or the error in its settings; see [`Exponential::check`].
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::JitterNeedsGrowth`] for jitter that does nothing to a constant delay.
    pub const fn check(self) -> Result<Self, ConfigError> {
        match self.jitter {
            Jitter::None | Jitter::Full | Jitter::Equal => Ok(self),
            Jitter::Decorrelated | Jitter::FromBase => {
                Err(ConfigError::JitterNeedsGrowth(self.jitter))
            }
        }
    }

    /// Returns the delay before jitter.
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

impl Backoff for Constant {
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
        if self.jitter == Jitter::None {
            return self.delay;
        }
        let delay = Delay { base: self.delay, nominal: self.delay, longest: self.delay };
        self.jitter.apply(delay, self.delay, wait.random)
    }
}

/// Multiplies the delay by a factor with every retry, up to a longest delay.
///
/// Before retry `n` the delay is `min(max_delay, base_delay · factor^(n - 1))`, then jitter is applied.
/// The cap comes before the jitter, so that clients in a long outage stay spread.
/// The arithmetic saturates: for every `n` up to [`u32::MAX`] the result is at most the longest delay.
///
/// Defaults: base delay 50 ms, factor 2, longest delay 20 s, full jitter, as in the AWS SDKs.
///
/// No setting panics, whatever its value and the order: settings that contradict each other come from configuration,
/// and a service shall not fall over them at each call.
/// No delay is longer than the longest delay, the first included; of the two the one that is not set gives way.
/// A factor below 1, or one that is not a number, is taken as 1.
/// [`check`](Self::check) finds such settings, in a `const` when it is compiled.
///
/// ```
/// use retry_runtime::Exponential;
/// use std::time::Duration;
///
/// const PATIENT: Exponential =
///     Exponential::new().base_delay(Duration::from_millis(100)).max_delay(Duration::from_secs(5));
/// # assert_eq!(PATIENT.longest_delay(), Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponential {
    // Unset means the default, or the other where the two contradict each other: asking for a base of 30 s alone, or for
    // a longest delay of 10 ms, is no contradiction.
    base_delay: Option<Duration>,
    factor: f64,
    max_delay: Option<Duration>,
    jitter: Jitter,
}

impl Exponential {
    const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(50);
    const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(20);

    /// Starts from the defaults.
    pub const fn new() -> Self {
        Self { base_delay: None, factor: 2.0, max_delay: None, jitter: Jitter::Full }
    }

    /// Sets the delay before the first retry; zero never waits.
    ///
    /// A longest delay that is shorter holds for this one, too.
    pub const fn base_delay(self, base_delay: Duration) -> Self {
        Self { base_delay: Some(base_delay), ..self }
    }

    /// Sets the longest delay, before jitter.
    pub const fn max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay: Some(max_delay), ..self }
    }

    /// Sets the factor; 1 keeps the delay constant, and so does what is below, or no number.
    pub const fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Sets how the delays are randomised.
    pub const fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Builds an exponential backoff with full jitter, and checks it.
    ///
    /// # Errors
    ///
    /// Returns the [`ConfigError`] with the impossible value.
    pub const fn checked(
        base_delay: Duration,
        factor: f64,
        max_delay: Duration,
    ) -> Result<Self, ConfigError> {
        Self::new().base_delay(base_delay).factor(factor).max_delay(max_delay).check()
    }

    /// Returns the backoff, or the error in its settings: for those that come from a file, and, in a `const`, for the
    /// compiler.
    ///
    /// ```
    /// use retry_runtime::{Exponential, policy::ConfigError};
    /// use std::time::Duration;
    ///
    /// const LONGEST: Duration = Duration::from_secs(5);
    /// const CHECKED: Exponential = match Exponential::new().max_delay(LONGEST).check() {
    ///     Ok(backoff) => backoff,
    ///     Err(_) => panic!("does not compile if the settings contradict each other"),
    /// };
    /// # let _ = CHECKED;
    ///
    /// let impossible = Exponential::new().base_delay(2 * LONGEST).max_delay(LONGEST);
    /// assert!(matches!(impossible.check(), Err(ConfigError::MaxDelayBelowBase { .. })));
    /// assert_eq!(impossible.first_delay(), LONGEST); // holds all the same
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the [`ConfigError`] with the impossible value.
    pub const fn check(self) -> Result<Self, ConfigError> {
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            return Err(ConfigError::Factor(self.factor));
        }
        if let (Some(base_delay), Some(max_delay)) = (self.base_delay, self.max_delay)
            && max_delay.as_nanos() < base_delay.as_nanos()
        {
            return Err(ConfigError::MaxDelayBelowBase { base_delay, max_delay });
        }
        Ok(self)
    }

    /// Returns the delay before the first retry, before jitter.
    pub const fn first_delay(&self) -> Duration {
        let base_delay = match self.base_delay {
            Some(base_delay) => base_delay,
            None => Self::DEFAULT_BASE_DELAY,
        };
        shorter(base_delay, self.longest_delay())
    }

    /// Returns the longest delay.
    pub const fn longest_delay(&self) -> Duration {
        match (self.max_delay, self.base_delay) {
            (Some(max_delay), _) => max_delay,
            (None, Some(base_delay)) => longer(base_delay, Self::DEFAULT_MAX_DELAY),
            (None, None) => Self::DEFAULT_MAX_DELAY,
        }
    }

    /// Returns `min(max_delay, base_delay · factor^(retry - 1))`.
    fn nominal(&self, retry: u32) -> Duration {
        let (base, longest) = (self.first_delay(), self.longest_delay());
        if base.is_zero() {
            return Duration::ZERO;
        }
        // NaN is not at least 1 either.
        let factor = if self.factor >= 1.0 { self.factor } else { 1.0 };
        let power = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits hold every delay below 104 days to the nanosecond"
        )]
        let nanos = base.as_nanos() as f64 * factor.powi(power);
        // The conversion saturates, infinity included.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "never negative; rounded"
        )]
        let nanos = nanos.round() as u128;
        duration_from_nanos(nanos).max(base).min(longest)
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff for Exponential {
    fn delay(&self, wait: &mut RetryContext<'_>) -> Duration {
        let delay = Delay {
            base: self.first_delay(),
            nominal: self.nominal(wait.retry),
            longest: self.longest_delay(),
        };
        self.jitter.apply(delay, wait.previous.unwrap_or(delay.base), wait.random)
    }
}

const fn shorter(left: Duration, right: Duration) -> Duration {
    if left.as_nanos() < right.as_nanos() { left } else { right }
}

const fn longer(left: Duration, right: Duration) -> Duration {
    if left.as_nanos() < right.as_nanos() { right } else { left }
}
