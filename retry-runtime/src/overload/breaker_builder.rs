use std::{fmt, ptr, time::Duration};

use super::breaker::CircuitBreaker;
use crate::{
    config_error::ConfigError,
    failure::{classify::Disposition, info::FailureReport, rejected::Rejected},
};

/// The settings of a [`CircuitBreaker`]; made by [`CircuitBreaker::builder`].
///
/// ```
/// use retry_runtime::CircuitBreaker;
/// use std::time::Duration;
///
/// // Gives up sooner on a cache that is nice to have.
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

/// Says which failures count.
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
    // A bucket of the window counts that far exactly.
    const MOST_CALLS: u32 = 1_000_000;

    /// Sets the name that telemetry shows the breaker under, `unnamed` unless set.
    ///
    /// One of few: it becomes a label of metrics.
    /// Breakers of one name share a series, which shows the one that changed last.
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sets the share of failures, above 0 and at most 1, from which on the breaker opens.
    pub const fn failure_ratio(self, failure_ratio: f64) -> Self {
        Self { failure_ratio, ..self }
    }

    /// Sets the outcomes in the window below which the share means nothing.
    pub const fn minimum_calls(self, minimum_calls: u32) -> Self {
        Self { minimum_calls, ..self }
    }

    /// Sets how far back outcomes are counted, to a tenth.
    pub const fn window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Sets how long the breaker stays open before it lets probes through, to the millisecond above.
    pub const fn open_for(self, open_for: Duration) -> Self {
        Self { open_for, ..self }
    }

    /// Sets how many probes are let through, all of which must succeed for the breaker to close.
    pub const fn probes(self, probes: u8) -> Self {
        Self { probes, ..self }
    }

    /// Sets which failures count; unless set, all but those whose disposition is
    /// [`Permanent`](crate::failure::classify::Disposition::Permanent): a server that gives a final answer works.
    ///
    /// The breaker has a rule of its own, because a policy names what a retry may repeat, and not what speaks against
    /// the server: a policy that retries nothing but timeouts still opens its breaker when connections are refused.
    /// A failure that does not count is a success to the breaker.
    /// A failure counts by default if nothing is known of it: the error type does not implement
    /// [`Classify`](crate::failure::classify::Classify), or a closure of `on` in the closure form does not ask it; see
    /// [`Classified`](crate::policy::Classified).
    pub const fn counts(self, rule: fn(&FailureReport) -> bool) -> Self {
        Self { counts: Rule(rule), ..self }
    }

    /// Makes a closed circuit breaker.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Ratio`] for a ratio that is not above 0 and at most 1, [`ConfigError::OutOfRange`] for
    /// no probes, and for no minimum or one above a million, and [`ConfigError::TooShort`] for a window below 10 ms and
    /// an open phase below 1 ms.
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
