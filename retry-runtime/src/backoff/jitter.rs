use std::{fmt, time::Duration};

use crate::backoff::random::{Random, duration_from_nanos};

/// Chooses how the wait before a retry is randomised.
///
/// Clients that fail together come back together unless their waits differ.
/// Below, `delay` is what the backoff says, already capped at its longest delay, and `base` its first delay.
///
/// | family | wait | mean |
/// | --- | --- | --- |
/// | [`None`](Self::None) | `delay` | `delay` |
/// | [`Full`](Self::Full) | uniform in `0 ..= delay` | `delay / 2` |
/// | [`Equal`](Self::Equal) | uniform in `delay / 2 ..= delay` | `3 · delay / 4` |
/// | [`Decorrelated`](Self::Decorrelated) | `min(max_delay, uniform in base ..= 3 · previous wait)` | |
/// | [`FromBase`](Self::FromBase) | uniform in `base ..= delay` | `(base + delay) / 2` |
///
/// Full, equal and decorrelated are the formulas of Marc Brooker's *Exponential Backoff And Jitter* (AWS Architecture
/// Blog, 2015); `FromBase` is the jitter of coredis, kept for those who move from it.
/// It does not spread the first retry, whose delay is the base.
///
/// ```
/// use retry_runtime::{Exponential, Jitter};
///
/// // The default is the family that costs a recovering server the fewest calls.
/// assert_eq!(Exponential::new(), Exponential::new().jitter(Jitter::Full));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Waits exactly the delay.
    None,
    /// Waits between zero and the delay.
    Full,
    /// Waits between half the delay and the delay.
    Equal,
    /// Waits between the base and three times the previous wait, at most the longest delay.
    Decorrelated,
    /// Waits between the base and the delay.
    FromBase,
}

impl Jitter {
    /// Draws the wait for one retry; `previous` is the last wait, or the base before the first.
    pub(crate) fn apply(self, delay: Delay, previous: Duration, random: &mut Random) -> Duration {
        let Delay { base, nominal, longest } = delay;
        match self {
            Self::None => nominal,
            Self::Full => random.between(Duration::ZERO..=nominal),
            Self::Equal => random.between(half(nominal)..=nominal),
            Self::Decorrelated => {
                random.between(base..=previous.max(base).saturating_mul(3)).min(longest)
            }
            Self::FromBase => random.between(base..=nominal),
        }
    }
}

/// The three durations that a jitter family draws between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delay {
    pub(crate) base: Duration,
    pub(crate) nominal: Duration,
    pub(crate) longest: Duration,
}

fn half(duration: Duration) -> Duration {
    duration_from_nanos(duration.as_nanos() / 2)
}

/// Prints the name that the attribute uses.
impl fmt::Display for Jitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Full => "full",
            Self::Equal => "equal",
            Self::Decorrelated => "decorrelated",
            Self::FromBase => "from_base",
        })
    }
}
