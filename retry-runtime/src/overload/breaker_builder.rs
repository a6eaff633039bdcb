use std::{fmt, ptr, time::Duration};

use super::breaker::CircuitBreaker;
use crate::{
    config_error::ConfigError,
    failure::{classify::Disposition, info::FailureReport, rejected::Rejected},
};

/// The settings of a [`CircuitBreaker`]; created by [`CircuitBreaker::builder`].
///
/// ```
/// use retry_runtime::CircuitBreaker;
/// use std::time::Duration;
///
/// // A cache that is nice to have: give up sooner.
/// let breaker =
///     CircuitBreaker::builder().name("cache").failure_ratio(0.1).open_for(Duration::from_secs(30)).build()?;
/// # drop(breaker);
///
/// let error = CircuitBreaker::builder().failure_ratio(50.0).build().unwrap_err();
/// assert_eq!(error.to_string(), "`failure_ratio` must be above 0 and at most 1, found 50");
/// # Ok::<(), retry_runtime::policy::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "settings make no circuit breaker until `build` is called"]
pub struct CircuitBreakerBuilder {
    pub(super) name: &'static str,
    pub(super) failure_ratio: f64,
    pub(super) minimum_calls: u32,
    pub(super) window: Duration,
    pub(super) open_for: Duration,
    pub(super) probes: u8,
    pub(super) counts: Rule,
}

/// The rule that decides which failures count.
#[derive(Clone, Copy)]
pub(super) struct Rule(pub(super) fn(&FailureReport) -> bool);

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        ptr::fn_addr_eq(self.0, other.0)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rule(..)")
    }
}

impl CircuitBreakerBuilder {
    // Hystrix, which made the pattern common: `circuitBreaker.errorThresholdPercentage`, `requestVolumeThreshold`,
    // `sleepWindowInMilliseconds` and `metrics.rollingStats.timeInMilliseconds`, in ten buckets.
    pub(super) const DEFAULT: Self = Self {
        name: Rejected::UNNAMED,
        failure_ratio: 0.5,
        minimum_calls: 20,
        window: Duration::from_secs(10),
        open_for: Duration::from_secs(5),
        probes: 1,
        counts: Rule(|failure| failure.disposition() != Some(Disposition::Permanent)),
    };
    const SHORTEST_WINDOW: Duration = Duration::from_millis(10);
    const SHORTEST_OPEN: Duration = Duration::from_millis(1);
    // A bucket of the window counts exactly up to this number.
    const MOST_CALLS: u32 = 1_000_000;

    /// Sets the breaker's name in telemetry; `unnamed` unless set.
    ///
    /// The name becomes a label of metrics, so use few different names.
    /// Breakers of one name share a series, which shows the breaker that changed last.
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sets the share of failures at which the breaker opens, above 0 and at most 1; 0.5 unless set.
    pub const fn failure_ratio(self, failure_ratio: f64) -> Self {
        Self { failure_ratio, ..self }
    }

    /// Sets how many outcomes the window must hold before the breaker can open; 20 unless set.
    pub const fn minimum_calls(self, minimum_calls: u32) -> Self {
        Self { minimum_calls, ..self }
    }

    /// Sets how far back outcomes count, to a tenth of this time; 10 s unless set.
    pub const fn window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Sets how long the breaker stays open before it admits probes, rounded up to milliseconds; 5 s unless set.
    pub const fn open_for(self, open_for: Duration) -> Self {
        Self { open_for, ..self }
    }

    /// Sets the number of probes; the breaker closes when all of them have succeeded. 1 unless set.
    pub const fn probes(self, probes: u8) -> Self {
        Self { probes, ..self }
    }

    /// Sets which failures count; unless set, all but those whose disposition is
    /// [`Permanent`](crate::failure::classify::Disposition::Permanent): a server that gives a final answer works.
    ///
    /// The breaker has its own rule, because the rule of a policy answers another question: what can be repeated, not which
    /// failures are the server's.
    /// A policy that retries only timeouts still opens its breaker when connections are refused.
    /// A failure that does not count is a success for the breaker.
    /// By default a failure also counts if nothing is known about it: the error type does not implement
    /// [`Classify`](crate::failure::classify::Classify), or the closure form has a closure of `on` without
    /// [`Classified`](crate::policy::Classified).
    pub const fn counts(self, rule: fn(&FailureReport) -> bool) -> Self {
        Self { counts: Rule(rule), ..self }
    }

    /// Builds a closed circuit breaker.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Ratio`] for a `failure_ratio` that is not above 0 and at most 1,
    /// [`ConfigError::OutOfRange`] for `probes` of zero and for `minimum_calls` of zero or above a million, and
    /// [`ConfigError::TooShort`] for a `window` below 10 ms or an `open_for` below 1 ms.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        if !(self.failure_ratio > 0.0 && self.failure_ratio <= 1.0) {
            return Err(ConfigError::Ratio(self.failure_ratio));
        }
        for (setting, found, most) in [
            ("minimum_calls", self.minimum_calls, Self::MOST_CALLS),
            ("probes", u32::from(self.probes), u32::from(u8::MAX)),
        ] {
            if !(1..=most).contains(&found) {
                return Err(ConfigError::OutOfRange { setting, found, most });
            }
        }
        for (setting, found, least) in [
            ("window", self.window, Self::SHORTEST_WINDOW),
            ("open_for", self.open_for, Self::SHORTEST_OPEN),
        ] {
            if found < least {
                return Err(ConfigError::TooShort { setting, found, least });
            }
        }
        Ok(CircuitBreaker::with(self))
    }
}
