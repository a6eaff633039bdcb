use std::{fmt, time::Duration};

use crate::backoff::random::{Random, duration_from_nanos};

/// How the delay before a retry is randomised.
///
/// Clients that fail together retry together unless their delays differ.
/// In the table, `nominal` is the delay of the backoff, already capped at `max_delay`, and `base` its first delay.
///
/// | family | delay | mean |
/// | --- | --- | --- |
/// | [`None`](Self::None) | `nominal` | `nominal` |
/// | [`Full`](Self::Full) | uniform in `0 ..= nominal` | `nominal / 2` |
/// | [`Equal`](Self::Equal) | uniform in `nominal / 2 ..= nominal` | `3 · nominal / 4` |
/// | [`Decorrelated`](Self::Decorrelated) | `min(max_delay, uniform in base ..= 3 · previous delay)` | |
/// | [`FromBase`](Self::FromBase) | uniform in `base ..= nominal` | `(base + nominal) / 2` |
///
/// Full, equal and decorrelated are the formulas of Marc Brooker's *Exponential Backoff And Jitter* (AWS Architecture
/// Blog, 2015); `FromBase` is the jitter of coredis, for code that moves from it.
/// `FromBase` does not spread the first retry, whose delay is always the base.
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
    /// Waits between the base and three times the previous delay, at most `max_delay`.
    Decorrelated,
    /// Waits between the base and the delay.
    FromBase,
}

impl Jitter {
    /// Draws the delay of one retry; `previous` is the last delay, or the base before the first retry.
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

/// The durations that a jitter family uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delay {
    pub(crate) base: Duration,
    pub(crate) nominal: Duration,
    pub(crate) longest: Duration,
}

fn half(duration: Duration) -> Duration {
    duration_from_nanos(duration.as_nanos() / 2)
}

/// Prints the name as the attribute spells it.
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
