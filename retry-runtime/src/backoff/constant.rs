use std::time::Duration;

use super::{Backoff, Jitter, RetryContext, jitter::Delay};
use crate::config_error::ConfigError;

/// Waits the same delay before every retry.
///
/// ```
/// use retry_runtime::{Constant, Jitter};
/// use std::time::Duration;
///
/// // Clients of one server should not all poll at the same moment.
/// const POLL: Constant = Constant::new(Duration::from_secs(1)).jitter(Jitter::Equal);
/// # assert_eq!(POLL.delay(), Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Constant {
    delay: Duration,
    jitter: Jitter,
}

impl Constant {
    /// Waits for `delay`, without jitter; zero retries at once, after a yield to other tasks.
    pub const fn new(delay: Duration) -> Self {
        Self { delay, jitter: Jitter::None }
    }

    /// Randomises the delay.
    ///
    /// [`Jitter::Decorrelated`] and [`Jitter::FromBase`] need a delay that grows, so they do nothing here;
    /// [`check`](Self::check) returns an error for them.
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

    /// Returns the backoff, or an error if its settings contradict each other; see
    /// [`Exponential::check`](crate::Exponential::check).
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
