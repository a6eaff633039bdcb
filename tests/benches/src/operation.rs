//! The operation that every form retries.

use std::{cell::Cell, fmt, hint::black_box};

use retry_runtime::{Aborted, Classify, Disposition};

/// How often the operation fails before it succeeds.
#[derive(Debug, Default)]
pub struct Script {
    failures_left: Cell<u32>,
}

impl Script {
    /// Makes the operation fail `failures` times.
    pub fn set(&self, failures: u32) {
        self.failures_left.set(failures);
    }

    // Out of line and opaque, so that no form profits from the optimiser knowing how the attempt ends.
    #[inline(never)]
    fn attempt(&self) -> Result<u64, Failed> {
        let left = self.failures_left.get();
        if left == 0 {
            return black_box(Ok(7));
        }
        self.failures_left.set(left - 1);
        black_box(Err(Failed::Transient(left)))
    }
}

/// One attempt.
pub async fn operation(script: &Script) -> Result<u64, Failed> {
    script.attempt()
}

/// The error of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Worth a retry.
    Transient(u32),
    /// Aborted by a time limit.
    TimedOut,
}

impl Failed {
    /// Tells whether a retry may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_))
    }
}

impl Classify for Failed {
    fn disposition(&self) -> Disposition {
        if self.is_transient() { Disposition::NotExecuted } else { Disposition::Unknown }
    }
}

impl From<Aborted> for Failed {
    fn from(_: Aborted) -> Self {
        Self::TimedOut
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Failed {}
