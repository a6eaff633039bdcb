use std::time::Duration;

use crate::{ConfigError, Jitter, Random, jitter::Delay, random::duration_from_nanos};

/// Decides how long to wait before the next attempt.
///
/// One method makes a backoff of your own:
///
/// ```
/// use retry_runtime::{Backoff, RetryPolicy, Wait};
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, Copy)]
/// struct RandomBackoff {
///     max_delay: Duration,
/// }
///
/// impl Backoff for RandomBackoff {
///     fn delay(&self, wait: &mut Wait<'_>) -> Duration {
///         wait.between(Duration::ZERO..=self.max_delay)
///     }
/// }
///
/// const POLICY: RetryPolicy<RandomBackoff> =
///     RetryPolicy::new(RandomBackoff { max_delay: Duration::from_secs(1) }).retries(3);
/// # let mut random = retry_runtime::Random::seeded(1);
/// # assert!(POLICY.backoff().delay(&mut Wait::new(1, None, &mut random)) <= Duration::from_secs(1));
/// ```
pub trait Backoff {
    /// Returns the wait before retry [`Wait::retry`].
    ///
    /// Called once per retry, never before the first attempt.
    /// [`Duration::ZERO`] retries at once, after other tasks had their turn.
    fn delay(&self, wait: &mut Wait<'_>) -> Duration;
}

impl<B: Backoff + ?Sized> Backoff for &B {
    fn delay(&self, wait: &mut Wait<'_>) -> Duration {
        (**self).delay(wait)
    }
}

impl<B: Backoff + ?Sized> Backoff for std::sync::Arc<B> {
    fn delay(&self, wait: &mut Wait<'_>) -> Duration {
        (**self).delay(wait)
    }
}

/// Tells a [`Backoff`] which retry it is asked about, and lends it randomness.
#[derive(Debug)]
pub struct Wait<'a> {
    retry: u32,
    previous: Option<Duration>,
    random: &'a mut Random,
}

impl<'a> Wait<'a> {
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
    /// # Panics
    ///
    /// Panics (in a `const`: does not compile) for [`Jitter::Decorrelated`] and [`Jitter::FromBase`], which need
    /// delays that grow.
    /// [`Constant::checked`] returns an error instead.
    pub const fn jitter(self, jitter: Jitter) -> Self {
        match Self::checked(self.delay, jitter) {
            Ok(constant) => constant,
            Err(_) => panic!(
                "a constant delay does not grow, so `decorrelated` and `from_base` jitter do nothing"
            ),
        }
    }

    /// Builds a constant backoff from settings that are only known at run time.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::JitterNeedsGrowth`] for jitter that does nothing to a constant delay.
    pub const fn checked(delay: Duration, jitter: Jitter) -> Result<Self, ConfigError> {
        match jitter {
            Jitter::None | Jitter::Full | Jitter::Equal => Ok(Self { delay, jitter }),
            Jitter::Decorrelated | Jitter::FromBase => Err(ConfigError::JitterNeedsGrowth(jitter)),
        }
    }

    /// Returns the delay before jitter.
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

impl Backoff for Constant {
    fn delay(&self, wait: &mut Wait<'_>) -> Duration {
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
    base_delay: Duration,
    factor: f64,
    // Unset means the default, or the base where that is longer: asking for a base of 30 s alone is no contradiction.
    max_delay: Option<Duration>,
    jitter: Jitter,
}

impl Exponential {
    const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(50);
    const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(20);

    /// Starts from the defaults.
    pub const fn new() -> Self {
        Self {
            base_delay: Self::DEFAULT_BASE_DELAY,
            factor: 2.0,
            max_delay: None,
            jitter: Jitter::Full,
        }
    }

    /// Sets the delay before the first retry; zero never waits.
    ///
    /// # Panics
    ///
    /// Panics (in a `const`: does not compile) if a longest delay was set that is shorter.
    pub const fn base_delay(self, base_delay: Duration) -> Self {
        Self { base_delay, ..self }.or_panic()
    }

    /// Sets the longest delay, before jitter.
    ///
    /// # Panics
    ///
    /// Panics (in a `const`: does not compile) if it is shorter than the base delay.
    pub const fn max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay: Some(max_delay), ..self }.or_panic()
    }

    /// Sets the factor; 1 keeps the delay constant.
    ///
    /// # Panics
    ///
    /// Panics (in a `const`: does not compile) if the factor is below 1, infinite or not a number.
    pub const fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }.or_panic()
    }

    /// Sets how the delays are randomised.
    pub const fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Builds an exponential backoff from settings that are only known at run time, with full jitter.
    ///
    /// # Errors
    ///
    /// Returns the [`ConfigError`] with the impossible value.
    pub const fn checked(
        base_delay: Duration,
        factor: f64,
        max_delay: Duration,
    ) -> Result<Self, ConfigError> {
        Self { base_delay, factor, max_delay: Some(max_delay), jitter: Jitter::Full }.check()
    }

    /// Returns the delay before the first retry, before jitter.
    pub const fn first_delay(&self) -> Duration {
        self.base_delay
    }

    /// Returns the longest delay.
    pub const fn longest_delay(&self) -> Duration {
        match self.max_delay {
            Some(max_delay) => max_delay,
            None if Self::DEFAULT_MAX_DELAY.as_nanos() < self.base_delay.as_nanos() => {
                self.base_delay
            }
            None => Self::DEFAULT_MAX_DELAY,
        }
    }

    const fn check(self) -> Result<Self, ConfigError> {
        let max_delay = self.longest_delay();
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            return Err(ConfigError::Factor(self.factor));
        }
        if max_delay.as_nanos() < self.base_delay.as_nanos() {
            return Err(ConfigError::MaxDelayBelowBase { base_delay: self.base_delay, max_delay });
        }
        Ok(self)
    }

    const fn or_panic(self) -> Self {
        match self.check() {
            Ok(checked) => checked,
            Err(ConfigError::Factor(_)) => panic!("`factor` must be a finite number of at least 1"),
            Err(_) => panic!("`max_delay` is below `base_delay`"),
        }
    }

    /// Returns `min(max_delay, base_delay · factor^(retry - 1))`.
    fn nominal(&self, retry: u32) -> Duration {
        let longest = self.longest_delay();
        if self.base_delay.is_zero() {
            return Duration::ZERO;
        }
        let power = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits hold every delay below 104 days to the nanosecond"
        )]
        let nanos = self.base_delay.as_nanos() as f64 * self.factor.powi(power);
        // The conversion saturates, infinity included.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "never negative; rounded"
        )]
        let nanos = nanos.round() as u128;
        duration_from_nanos(nanos).clamp(self.base_delay, longest)
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff for Exponential {
    fn delay(&self, wait: &mut Wait<'_>) -> Duration {
        let delay = Delay {
            base: self.base_delay,
            nominal: self.nominal(wait.retry),
            longest: self.longest_delay(),
        };
        self.jitter.apply(delay, wait.previous.unwrap_or(self.base_delay), wait.random)
    }
}
