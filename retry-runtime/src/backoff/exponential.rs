use std::time::Duration;

use super::{Backoff, Jitter, RetryContext, jitter::Delay, random::duration_from_nanos};
use crate::config_error::ConfigError;

/// Multiplies the delay by a factor with every retry, up to a longest delay.
///
/// Before retry `n` the delay is `min(max_delay, base_delay · factor^(n - 1))`; then the jitter applies.
/// The cap comes before the jitter, so the clients stay spread in a long outage.
/// The arithmetic saturates: for every `n` up to [`u32::MAX`] the result is at most `max_delay`.
///
/// The defaults are those of the AWS SDKs:
///
/// | setting | default |
/// | --- | --- |
/// | [`base_delay`](Self::base_delay) | 50 ms |
/// | [`factor`](Self::factor) | 2 |
/// | [`max_delay`](Self::max_delay) | 20 s |
/// | [`jitter`](Self::jitter) | [`Jitter::Full`] |
///
/// No setting panics, whatever its value: contradictory settings usually come from a configuration file, and must not
/// fail every call of a service.
/// No delay is longer than `max_delay`, not even the first; if only one of `base_delay` and `max_delay` is set, the
/// default of the other adapts to it.
/// A factor below 1 or NaN counts as 1.
/// [`check`](Self::check) finds such settings; in a `const`, the compiler does.
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
    // Unset means the default, adapted to the other: setting only a base of 30 s, or only a longest delay of 10 ms, is not
    // a contradiction.
    base_delay: Option<Duration>,
    factor: f64,
    max_delay: Option<Duration>,
    jitter: Jitter,
}

impl Exponential {
    const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(50);
    const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(20);

    /// Creates an exponential backoff with the defaults.
    pub const fn new() -> Self {
        Self { base_delay: None, factor: 2.0, max_delay: None, jitter: Jitter::Full }
    }

    /// Sets the delay before the first retry; with zero, no retry waits.
    ///
    /// A shorter `max_delay` applies to it, too.
    pub const fn base_delay(self, base_delay: Duration) -> Self {
        Self { base_delay: Some(base_delay), ..self }
    }

    /// Sets the longest delay, before jitter.
    pub const fn max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay: Some(max_delay), ..self }
    }

    /// Sets the factor; 1 keeps the delay constant, and so does a factor below 1 or NaN.
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

    /// Returns the backoff, or an error if its settings contradict each other: for settings from a file, or, in a `const`,
    /// for the compiler.
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
    /// assert_eq!(impossible.first_delay(), LONGEST); // it works all the same
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
