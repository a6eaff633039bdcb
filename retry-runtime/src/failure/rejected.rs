use std::{fmt, time::Duration};

/// The circuit breaker lets no call through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rejected {
    /// The name of the breaker.
    pub breaker: &'static str,
    /// The time for which every call is certain to be rejected.
    ///
    /// Zero while probes are under way, because their outcome may let calls through at any moment: then wait as the
    /// backoff says.
    /// [`Duration::MAX`] of a breaker that is forced open.
    pub retry_in: Duration,
}

impl Rejected {
    /// The name of a breaker that was given none.
    pub(crate) const UNNAMED: &'static str = "unnamed";
}

/// Prints the time in whole seconds, so that the texts of one outage are few: log tools group by them.
impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the circuit breaker ")?;
        if self.breaker != Self::UNNAMED {
            write!(formatter, "`{}` ", self.breaker)?;
        }
        match self.retry_in {
            Duration::ZERO => formatter.write_str("waits for its probes"),
            Duration::MAX => formatter.write_str("is held open"),
            left => match left.saturating_add(Duration::from_millis(500)).as_secs() {
                0 => formatter.write_str("is open for less than a second"),
                seconds => write!(formatter, "is open for another {seconds} s"),
            },
        }
    }
}

impl std::error::Error for Rejected {}
