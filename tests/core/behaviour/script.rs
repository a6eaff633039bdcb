//! An operation that fails as scripted.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use retry_runtime::{Aborted, Classify, Constant, Disposition, RetryPolicy};
use tokio::time::Instant;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MILLI: Duration = Duration::from_millis(1);
pub const EVERY_SECOND: RetryPolicy<Constant> = RetryPolicy::constant(SECOND);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    Rejected(u32),
    Lost,
    Broken,
    Late(Aborted),
}

impl Classify for Failed {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Rejected(_) => Disposition::NotExecuted,
            Self::Lost => Disposition::Unknown,
            Self::Broken | Self::Late(_) => Disposition::Permanent,
        }
    }
}

impl From<Aborted> for Failed {
    fn from(limit: Aborted) -> Self {
        Self::Late(limit)
    }
}

pub fn is_rejected(error: &Failed) -> bool {
    matches!(error, Failed::Rejected(_))
}

pub fn is_lost(error: &Failed) -> bool {
    *error == Failed::Lost
}

/// An error that says nothing about itself.
#[derive(Debug, PartialEq)]
pub struct Unclassified;

/// Counts calls and fails each as scripted, the last entry for ever.
#[derive(Debug)]
pub struct Script {
    pub calls: Cell<u32>,
    outcomes: Vec<Result<u32, Failed>>,
    pub started: RefCell<Vec<Duration>>,
    pub begin: Instant,
}

impl Script {
    pub fn new(outcomes: &[Result<u32, Failed>]) -> Self {
        let outcomes = outcomes.to_vec();
        Self { calls: Cell::new(0), outcomes, started: RefCell::default(), begin: Instant::now() }
    }

    pub fn next(&self) -> Result<u32, Failed> {
        let call = self.calls.get();
        self.calls.set(call + 1);
        self.started.borrow_mut().push(self.begin.elapsed());
        self.outcomes[usize::try_from(call).unwrap_or(usize::MAX).min(self.outcomes.len() - 1)]
    }

    pub async fn run(&self) -> Result<u32, Failed> {
        self.next()
    }
}

pub const REJECTED: Result<u32, Failed> = Err(Failed::Rejected(0));
pub const LOST: Result<u32, Failed> = Err(Failed::Lost);
