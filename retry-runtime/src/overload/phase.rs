use std::time::Duration;

use super::circuit_state::CircuitState;

/// The state of a circuit breaker, in one word, so that every transition is one atomic step.
///
/// 2 bits hold the phase, 22 the generation, 40 the data of the phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Counts transitions, to distinguish an outcome of an earlier phase from one of this phase.
    pub(super) generation: u32,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    /// Until a time in milliseconds; 40 bits last 34 years.
    Open {
        until: u64,
    },
    HalfOpen(Probes),
    /// Until it is reset.
    ForcedOpen,
}

/// The places of one half-open phase that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probes {
    /// The time of the last admission in slices, modulo 24 bits.
    pub(super) last: u32,
    pub(super) running: u8,
    pub(super) succeeded: u8,
}

impl Probes {
    /// Returns the places after the first probe has taken one.
    pub(super) fn first(last: u32) -> Self {
        Self { last, running: 1, succeeded: 0 }
    }

    /// Returns the number of places taken, at most the number of probes.
    pub(super) fn taken(self) -> u8 {
        self.running + self.succeeded
    }
}

impl State {
    pub(super) const START: Self = Self { generation: 0, phase: Phase::Closed };

    const GENERATIONS: u32 = (1 << 22) - 1;
    const SLICES: u32 = (1 << 24) - 1;
    const LATEST: u64 = (1 << 40) - 1;

    /// Returns another phase after this one.
    pub(super) fn then(self, phase: Phase) -> Self {
        Self { generation: self.generation.wrapping_add(1) & Self::GENERATIONS, phase }
    }

    /// Returns the same phase with other numbers.
    pub(super) fn still(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    pub(super) fn pack(self) -> u64 {
        let (kind, payload) = match self.phase {
            Phase::Closed => (0, 0),
            Phase::Open { until } => (1, until),
            Phase::HalfOpen(Probes { last, running, succeeded }) => {
                (2, u64::from(last) << 16 | u64::from(running) << 8 | u64::from(succeeded))
            }
            Phase::ForcedOpen => (3, 0),
        };
        kind << 62 | u64::from(self.generation) << 40 | payload
    }

    #[expect(clippy::cast_possible_truncation, reason = "each field is cut out of the word")]
    pub(super) fn unpack(word: u64) -> Self {
        let phase = match word >> 62 {
            0 => Phase::Closed,
            1 => Phase::Open { until: word & Self::LATEST },
            2 => Phase::HalfOpen(Probes {
                last: (word >> 16) as u32 & Self::SLICES,
                running: (word >> 8) as u8,
                succeeded: word as u8,
            }),
            _ => Phase::ForcedOpen,
        };
        Self { generation: (word >> 40) as u32 & Self::GENERATIONS, phase }
    }
}

impl Phase {
    /// Returns the open phase that ends at `end`, rounded up to milliseconds.
    pub(super) fn open_until(end: Duration) -> Self {
        let millis = end.as_nanos().div_ceil(1_000_000);
        Self::Open { until: u64::try_from(millis).unwrap_or(u64::MAX).min(State::LATEST) }
    }

    /// Returns the public state of the phase, whatever the time.
    pub(super) fn name(self) -> CircuitState {
        match self {
            Self::Closed => CircuitState::Closed,
            Self::Open { .. } => CircuitState::Open,
            Self::HalfOpen(_) => CircuitState::HalfOpen,
            Self::ForcedOpen => CircuitState::ForcedOpen,
        }
    }
}

/// Returns the slice that contains a time; each slice is `length` nanoseconds long.
#[expect(clippy::cast_possible_truncation, reason = "slices are modular")]
pub(super) fn slice(nanos: u64, length: u64) -> u32 {
    (nanos / length) as u32 & State::SLICES
}

/// Returns the number of slices from one to a later one.
pub(super) fn slices_between(earlier: u32, later: u32) -> u32 {
    later.wrapping_sub(earlier) & State::SLICES
}
