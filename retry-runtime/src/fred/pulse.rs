//! What a connection owes: which commands are on their way, and whether any was answered.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::telemetry;

/// Counts the commands on their way and the answers, by how long the commands may take.
///
/// A connection answers in order, so commands that time out behind one that may take longer say nothing about it: its
/// reply may be large and still arriving, or the server blocks as it was asked to.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Answers in the upper half of a word, commands on their way in the lower; one word for each power of two of the
    /// milliseconds that a command may take, the last for those without limit.
    counts: [AtomicU64; CLASSES],
    suspected: AtomicBool,
}

const CLASSES: usize = 24;
const ANSWER: u64 = 1 << 32;
const FLIGHTS: u64 = ANSWER - 1;

/// The class of commands by the time they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Patience(u8);

impl Patience {
    pub(super) const ENDLESS: Self = Self(23);

    /// Returns the class of a time limit; none is endless.
    pub(super) fn of(limit: Option<Duration>) -> Self {
        let Some(limit) = limit.filter(|limit| !limit.is_zero()) else { return Self::ENDLESS };
        let class = u128::BITS - limit.as_millis().leading_zeros();
        Self(u8::try_from(class).unwrap_or(u8::MAX).min(Self::ENDLESS.0 - 1))
    }
}

impl Pulse {
    #[inline]
    pub(super) fn depart(&self, part: usize, patience: Patience) -> Flight<'_> {
        let counts = &self.counts[usize::from(patience.0)];
        counts.fetch_add(1, Ordering::Relaxed);
        // Next to a round trip this reading is nothing, and a failure is told with the time that it took.
        Flight { counts, part, landed: 1, began: Instant::now(), name: None }
    }

    /// Tells whether a command is on its way that may take clearly longer than a limit.
    pub(super) fn may_be_busy(&self, patience: Patience) -> bool {
        let longer = &self.counts[usize::from(patience.0) + 1..];
        longer.iter().any(|counts| counts.load(Ordering::Relaxed) & FLIGHTS > 0)
    }

    /// Returns a number that changes with every answer.
    pub(super) fn answers(&self) -> u64 {
        let answers = |counts: &AtomicU64| counts.load(Ordering::Relaxed) >> 32;
        self.counts.iter().map(answers).fold(0, u64::wrapping_add)
    }

    /// Starts a suspicion, unless there is one.
    pub(super) fn suspect(&self) -> bool {
        !self.suspected.swap(true, Ordering::Relaxed)
    }

    pub(super) fn trust(&self) {
        self.suspected.store(false, Ordering::Relaxed);
    }
}

/// A command on its way; dropped, nobody waits for it any more.
#[derive(Debug)]
pub struct Flight<'a> {
    counts: &'a AtomicU64,
    part: usize,
    landed: u64,
    began: Instant,
    /// The command, if nothing else counts it when it is dropped.
    name: Option<&'static str>,
}

impl Flight<'_> {
    /// Returns the connection that it is on.
    pub(super) fn part(&self) -> usize {
        self.part
    }

    /// Names a command that is sent without a call around it.
    #[inline]
    pub(super) fn name(&mut self, name: &'static str) {
        self.name = Some(name);
    }

    /// Notes that the attempt failed, and is counted as that.
    pub(super) fn failed(&mut self) {
        self.name = None;
    }

    /// Returns when it departed.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Notes that the server answered.
    #[inline]
    pub(super) fn answered(mut self) {
        self.landed = 1u64.wrapping_sub(ANSWER);
        self.name = None;
    }
}

impl Drop for Flight<'_> {
    #[inline]
    fn drop(&mut self) {
        self.counts.fetch_sub(self.landed, Ordering::Relaxed);
        if let Some(name) = self.name {
            telemetry::dropped_at_once(name);
        }
    }
}
