use std::{
    cell::RefCell,
    fmt,
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
    process,
    time::Duration,
};

/// Draws the random numbers of jitter.
///
/// Seeded from the operating system's entropy (through [`RandomState`]), never from the clock: processes that start
/// at the same moment must not retry at the same moment.
///
/// ```
/// use retry_runtime::backoff::Random;
/// use std::time::Duration;
///
/// // A fixed seed makes a test of a backoff repeatable.
/// let range = Duration::ZERO..=Duration::from_secs(1);
/// let first = Random::seeded(7).between(range.clone());
/// assert_eq!(first, Random::seeded(7).between(range));
/// ```
pub struct Random(Source);

enum Source {
    Drawn(fastrand::Rng),
    /// Always one end of the range, to find the bounds.
    Lowest,
    Highest,
}

impl Random {
    /// Creates a generator whose sequence no other process, thread or call shares.
    pub fn from_entropy() -> Self {
        // With the process id: forked processes inherit the keys of the next `RandomState`.
        let seed = RandomState::new().hash_one(process::id());
        Self(Source::Drawn(fastrand::Rng::with_seed(seed)))
    }

    /// Creates a generator with a fixed seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Drawn(fastrand::Rng::with_seed(seed)))
    }

    /// Creates a generator that returns the lower end of every range.
    pub(crate) fn lowest() -> Self {
        Self(Source::Lowest)
    }

    /// Creates a generator that returns the upper end of every range.
    pub(crate) fn highest() -> Self {
        Self(Source::Highest)
    }

    /// Returns a uniformly distributed number in `0.0 .. 1.0`.
    pub fn unit(&mut self) -> f64 {
        match &mut self.0 {
            Source::Drawn(random) => random.f64(),
            Source::Lowest => 0.0,
            Source::Highest => 1.0_f64.next_down(),
        }
    }

    /// Returns a uniformly distributed duration from the range, both ends included, to the nanosecond.
    ///
    /// A range whose ends are in the wrong order yields its start.
    pub fn between(&mut self, range: RangeInclusive<Duration>) -> Duration {
        let (low, high) = range.into_inner();
        let span = high.saturating_sub(low).as_nanos();
        let drawn = match (&mut self.0, u64::try_from(span)) {
            (Source::Drawn(random), Ok(span)) => Duration::from_nanos(random.u64(0..=span)),
            (Source::Drawn(random), Err(_)) => duration_from_nanos(random.u128(0..=span)),
            (Source::Lowest, _) => Duration::ZERO,
            (Source::Highest, _) => duration_from_nanos(span),
        };
        low.saturating_add(drawn)
    }

    /// Runs `draw` with the generator of this thread, which is created at the thread's first draw, and again after a fork.
    pub(crate) fn with_thread_local<T>(draw: impl FnOnce(&mut Self) -> T) -> T {
        Self::of_process(process::id(), draw)
    }

    fn of_process<T>(process: u32, draw: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static RANDOM: RefCell<Option<(u32, Random)>> = const { RefCell::new(None) };
        }
        // A user's backoff that starts a call from inside `delay` finds the slot empty and gets its own generator,
        // instead of a panic for borrowing twice.
        let inherited = RANDOM.take().filter(|(owner, _)| *owner == process);
        let mut random = inherited.map_or_else(Self::from_entropy, |(_, random)| random);
        let drawn = draw(&mut random);
        RANDOM.set(Some((process, random)));
        drawn
    }
}

/// Prints no state, so that a log does not reveal the delays to come.
impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random(..)")
    }
}

/// Converts nanoseconds to a duration; more than [`Duration::MAX`] becomes [`Duration::MAX`].
pub(crate) fn duration_from_nanos(nanos: u128) -> Duration {
    const NANOS_PER_SECOND: u128 = 1_000_000_000;
    match (u64::try_from(nanos / NANOS_PER_SECOND), u32::try_from(nanos % NANOS_PER_SECOND)) {
        (Ok(seconds), Ok(rest)) => Duration::new(seconds, rest),
        _ => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that is forked has the memory of its parent, generators included; forking itself is not to be had
    /// without unsafe code.
    #[test]
    fn a_forked_process_does_not_go_on_with_its_parents_numbers() {
        let draw = |process| Random::of_process(process, |random| random.0.numbers());
        let parent = draw(1);
        assert_ne!(draw(1), parent, "the same generator goes on");
        let state = Random::of_process(1, |random| random.0.state());
        assert_eq!(Random::of_process(1, |random| random.0.state()), state, "kept");
        assert_ne!(Random::of_process(2, |random| random.0.state()), state, "drawn again");
    }

    impl Source {
        fn numbers(&mut self) -> Vec<u64> {
            let Self::Drawn(random) = self else { return Vec::new() };
            (0..4).map(|_| random.u64(..)).collect()
        }

        fn state(&self) -> Option<u64> {
            let Self::Drawn(random) = self else { return None };
            Some(random.get_seed())
        }
    }
}
