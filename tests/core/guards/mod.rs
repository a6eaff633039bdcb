//! What watches over a call beside its policy, in the attribute and in the closure form, on a paused clock.

mod blocking;
mod breaker;
mod budget;
mod cancel;
mod deadline;
mod events;
mod hints;
mod hooks;
mod nested;
mod several;
mod supervised;
mod telemetry;
mod testing;

use std::{cell::Cell, time::Duration};

use retry_runtime::{Aborted, Classify, Disposition, budget::Cost};

const SECOND: Duration = Duration::from_secs(1);

/// An error that says all that one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    Refused,
    Lost,
    Broken,
    Busy(Option<Duration>),
    Kept,
    Aborted(Aborted),
}

impl Classify for Failed {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Refused | Self::Busy(_) | Self::Kept => Disposition::NotExecuted,
            Self::Lost => Disposition::Unknown,
            Self::Broken | Self::Aborted(_) => Disposition::Permanent,
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Refused => "REFUSED",
            Self::Lost => "LOST",
            Self::Broken => "BROKEN",
            Self::Busy(_) => "BUSY",
            Self::Kept => "KEPT",
            Self::Aborted(_) => "CUT",
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Busy(_) => Cost::Throttling,
            Self::Kept => Cost::Free,
            _ => Cost::Transient,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(delay) => *delay,
            _ => None,
        }
    }
}

impl From<Aborted> for Failed {
    fn from(aborted: Aborted) -> Self {
        Self::Aborted(aborted)
    }
}

/// Counts calls, and fails each in the same way.
#[derive(Debug, Default)]
struct Counter(Cell<u32>);

impl Counter {
    fn fail<T>(&self, error: Failed) -> Result<T, Failed> {
        self.0.set(self.0.get() + 1);
        Err(error)
    }

    fn calls(&self) -> u32 {
        self.0.get()
    }
}
