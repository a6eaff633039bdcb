use std::{array, num::NonZeroU64, time::Duration};

use super::sync::{AtomicU64, Ordering, fence};

/// Counts the outcomes of a sliding window, in buckets that are reused as time goes on.
///
/// The counts are exact with any number of threads.
/// The window includes the bucket being filled, so it reaches back between nine and ten tenths of its length.
pub(super) struct Window {
    nanos_per_bucket: NonZeroU64,
    buckets: [AtomicU64; BUCKETS],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) failures: u32,
    pub(super) successes: u32,
}

impl Counts {
    pub(super) fn calls(self) -> u32 {
        self.failures + self.successes
    }
}

const BUCKETS: usize = 10;

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            nanos_per_bucket: NonZeroU64::new(nanos(length) / BUCKETS as u64)
                .unwrap_or(NonZeroU64::MIN),
            buckets: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts one outcome in a period; the outcomes of earlier periods leave the window at once.
    ///
    /// An outcome is dropped if it comes so late that its bucket has been reused.
    pub(super) fn record(&self, outcome: Outcome, now: Duration, period: u32) {
        let (index, lap) = self.place(now, period);
        let bucket = &self.buckets[index];
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let bucket = Bucket::unpack(word);
            match bucket.lap.wrapping_sub(lap) & Bucket::LAPS {
                // The common case is one addition to the word as it is.
                0 if bucket.has_room() => Some(word + Bucket::one(outcome)),
                0 => Some(bucket.halved().pack() + Bucket::one(outcome)),
                1..=Bucket::LATEST => None,
                _ => Some(Bucket { lap, counts: Counts::default() }.pack() + Bucket::one(outcome)),
            }
        });
    }

    /// Returns the outcomes in the window.
    ///
    /// Of several threads that each record and then count, at least one sees all outcomes.
    pub(super) fn counts(&self, now: Duration, period: u32) -> Counts {
        // Without the fence, two threads that record in neighbouring buckets could each miss the other's outcome.
        fence(Ordering::SeqCst);
        let (last, lap) = self.place(now, period);
        self.buckets.iter().enumerate().fold(Counts::default(), |sum, (index, bucket)| {
            let expected = if index <= last { lap } else { lap.wrapping_sub(1) & Bucket::LAPS };
            let Bucket { lap, counts } = Bucket::unpack(bucket.load(Ordering::Relaxed));
            // Another thread can have read the clock later than this one; its outcome is a lap ahead, and counts.
            if lap.wrapping_sub(expected) & Bucket::LAPS > 1 {
                return sum;
            }
            Counts {
                failures: sum.failures + counts.failures,
                successes: sum.successes + counts.successes,
            }
        })
    }

    /// Returns the bucket for a time, and its lap.
    ///
    /// A new period advances every lap, so no bucket of an earlier period is in the window of a later one.
    #[expect(clippy::cast_possible_truncation, reason = "an index below ten; laps are modular")]
    fn place(&self, now: Duration, period: u32) -> (usize, u32) {
        let tick = nanos(now) / self.nanos_per_bucket;
        let lap = (tick / BUCKETS as u64) as u32;
        ((tick % BUCKETS as u64) as usize, lap.wrapping_add(period) & Bucket::LAPS)
    }
}

/// A bucket, in one word, so that reusing it and counting in it is one atomic step: 22 bits of lap, 21 of each count.
#[derive(Clone, Copy)]
struct Bucket {
    lap: u32,
    counts: Counts,
}

impl Bucket {
    const LAPS: u32 = (1 << 22) - 1;
    const COUNT: u32 = (1 << 21) - 1;
    // How many laps a bucket can be ahead of a late outcome. If it seems further ahead, it has not been used for so long
    // that the laps have wrapped around (485 days for a window of 10 s).
    const LATEST: u32 = 1 << 8;

    fn has_room(self) -> bool {
        self.counts.failures < Self::COUNT && self.counts.successes < Self::COUNT
    }

    /// Makes room after two million outcomes in a tenth of the window: keeps the ratio, not the sum.
    fn halved(self) -> Self {
        let Counts { failures, successes } = self.counts;
        Self { counts: Counts { failures: failures / 2, successes: successes / 2 }, ..self }
    }

    /// Returns the value that one outcome adds to a word.
    fn one(outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Success => 1,
            Outcome::Failure => 1 << 21,
        }
    }

    fn pack(self) -> u64 {
        let Counts { failures, successes } = self.counts;
        u64::from(self.lap) << 42 | u64::from(failures) << 21 | u64::from(successes)
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    fn unpack(word: u64) -> Self {
        let counts = Counts {
            failures: (word >> 21) as u32 & Self::COUNT,
            successes: word as u32 & Self::COUNT,
        };
        Self { lap: (word >> 42) as u32, counts }
    }
}

/// Returns the nanoseconds of a time, which saturate after 584 years.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
