//! What repeating a command does to the data and to the answer.

use std::fmt;

/// What it does to send a command again that may have been executed already.
///
/// The classes go from the safest to the least safe, and a pipeline has the class of its least safe command.
/// They speak of a command without concurrent writers: a repeat can overwrite what another client wrote in between.
/// A time to live that a repeat starts again counts as the same.
///
/// Proven by tests that run every command of the first three classes once and twice on a server and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Replay {
    /// Changes nothing, such as `GET`.
    Read,
    /// Leaves the same data and gives the same answer, such as `SET`.
    Idempotent,
    /// Leaves the same data, but the answer differs: `DEL` says 1 and then 0, a lock by `SET … NX` looks lost.
    SameState,
    /// Does something once more, or loses the first answer: `INCR`, `LPUSH`, `LPOP`, `PUBLISH`, and what belongs to
    /// one connection, such as `WATCH`.
    NotIdempotent,
    /// Does what nobody but the caller knows: scripts, functions, custom commands.
    ///
    /// Even a refusal may come after a part was done, and in the words of the server.
    Opaque,
}

impl fmt::Display for Replay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::SameState => "same state",
            Self::NotIdempotent => "not idempotent",
            Self::Opaque => "opaque",
        })
    }
}

/// Which commands may be sent again after an outcome that is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Consent {
    /// None, not even reads.
    AtMostOnce,
    /// Those of [`Replay::Read`] and [`Replay::Idempotent`].
    #[default]
    Safe,
    /// All: the caller answers for it.
    Always,
}

impl Consent {
    /// Tells whether a command of this class may be sent again.
    pub fn covers(self, replay: Replay) -> bool {
        match self {
            Self::AtMostOnce => false,
            Self::Safe => replay <= Replay::Idempotent,
            Self::Always => true,
        }
    }
}
