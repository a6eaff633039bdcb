use std::{fmt, time::Duration};

/// The state of a [`CircuitBreaker`](crate::CircuitBreaker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// Probes pass, other calls are rejected.
    HalfOpen,
    /// Calls are rejected until [`CircuitBreaker::reset`](crate::CircuitBreaker::reset).
    ForcedOpen,
}

impl CircuitState {
    /// Returns the word that telemetry uses, such as `half_open`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
        }
    }
}

/// Prints the state in the words of telemetry, such as `half_open`.
impl fmt::Display for CircuitState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The state of a [`CircuitBreaker`](crate::CircuitBreaker) at one moment, and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CircuitStatistics {
    /// The state.
    pub state: CircuitState,
    /// The calls in the window whose outcome was counted; none while the breaker is not closed.
    pub calls: u32,
    /// Those of them that failed.
    pub failures: u32,
    /// How often the breaker opened since it was made; opening again after a failed probe is the same time.
    pub opened: u64,
    /// The calls that were rejected since it was made.
    pub rejected: u64,
}

/// A step from one state to another, told by the thread that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) name: &'static str,
    pub(crate) from: CircuitState,
    pub(crate) to: CircuitState,
    /// The calls in the window, and the failures among them; zero unless it was closed.
    pub(crate) calls: u32,
    pub(crate) failures: u32,
    /// Since the breaker was closed.
    pub(crate) disturbed: Duration,
}
