use std::{fmt, time::Duration};

/// An impossible setting of a policy, a budget or a breaker, with its value.
///
/// ```
/// use retry_runtime::{Exponential, policy::ConfigError};
/// use std::time::Duration;
///
/// let error = Exponential::checked(Duration::from_secs(5), 2.0, Duration::from_secs(1)).unwrap_err();
/// assert_eq!(error.to_string(), "`max_delay` (1s) is below `base_delay` (5s)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The longest delay is shorter than the first.
    MaxDelayBelowBase {
        /// The delay before the first retry.
        base_delay: Duration,
        /// The longest delay.
        max_delay: Duration,
    },
    /// The factor would shrink the delays, or is not a finite number.
    Factor(f64),
    /// The jitter needs delays that grow; on a constant delay it would do nothing.
    JitterNeedsGrowth(crate::backoff::jitter::Jitter),
    /// A count is zero, or above its largest value.
    OutOfRange {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        found: u32,
        /// The largest allowed value; the smallest is 1.
        most: u32,
    },
    /// The share of failures is not above 0 and at most 1.
    Ratio(f64),
    /// A duration is shorter than can be measured.
    TooShort {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        found: Duration,
        /// The shortest allowed value.
        least: Duration,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxDelayBelowBase { base_delay, max_delay } => {
                write!(
                    formatter,
                    "`max_delay` ({max_delay:?}) is below `base_delay` ({base_delay:?})"
                )
            }
            Self::Factor(factor) => {
                write!(formatter, "`factor` must be a finite number of at least 1, found {factor}")
            }
            Self::JitterNeedsGrowth(jitter) => {
                write!(
                    formatter,
                    "jitter `{jitter}` does nothing to a constant delay; use `full` or `equal`"
                )
            }
            Self::OutOfRange { setting, found, most } => {
                write!(formatter, "`{setting}` must be between 1 and {most}, found {found}")
            }
            Self::Ratio(ratio) => {
                write!(formatter, "`failure_ratio` must be above 0 and at most 1, found {ratio}")
            }
            Self::TooShort { setting, found, least } => {
                write!(formatter, "`{setting}` must be at least {least:?}, found {found:?}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
