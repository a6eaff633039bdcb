//! Whether a connection is there: noticed once, told once, and waited for outside fred's queue.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
};

use ::fred::error::{Error, ErrorKind};
use tokio::time::Instant;

use super::ErrorClass;
use crate::{
    failure::classify::{Classify, Disposition},
    telemetry,
};

/// The connection of a client, or of one member of a pool.
#[derive(Debug, Default)]
pub(super) struct Link {
    standing: AtomicU8,
    /// Changes with every loss and every return.
    changes: AtomicU32,
    lost: Mutex<Option<Lost>>,
}

/// Since when a connection is lost, and why.
#[derive(Debug)]
struct Lost {
    since: Instant,
    server: String,
    cause: Error,
    /// Whether the loss was told, and so the return is to be.
    is_told: bool,
}

/// What is known about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing speaks against sending.
    Up,
    /// It is lost, and somebody makes it again.
    Down,
    /// It is lost, and the next command has to make it again.
    Ended,
}

impl Standing {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Up,
            1 => Self::Down,
            _ => Self::Ended,
        }
    }
}

impl Link {
    pub(super) fn standing(&self) -> Standing {
        Standing::of(self.standing.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.standing.load(Ordering::Relaxed) == Standing::Up as u8
    }

    /// Returns a number that differs between a connection and one made later.
    pub(super) fn changes(&self) -> u32 {
        self.changes.load(Ordering::Acquire)
    }

    /// Notes that the connection is lost, and tells it once; returns whether it was there before.
    pub(super) fn lose(
        &self,
        standing: Standing,
        server: impl fmt::Display,
        cause: &Error,
    ) -> bool {
        let mut lost = self.lock();
        self.changes.fetch_add(1, Ordering::AcqRel);
        let before = self.standing();
        // An event says that somebody makes it again, which an ended task does not.
        if !(before == Standing::Ended && standing == Standing::Down) {
            self.standing.store(standing as u8, Ordering::Release);
        }
        match &mut *lost {
            // What keeps it from coming back says more than what ended it.
            Some(lost) => lost.cause = cause.clone(),
            None => {
                telemetry::connection_lost(&server, &plain(cause));
                *lost = Some(Lost::now(&server, cause, true));
            }
        }
        before == Standing::Up
    }

    /// Notes without a word that there is no connection, which the caller knows; returns whether there was one before.
    pub(super) fn set_aside(&self, server: impl fmt::Display, cause: &Error) -> bool {
        let mut lost = self.lock();
        self.changes.fetch_add(1, Ordering::AcqRel);
        let before = self.standing();
        self.standing.store(Standing::Ended as u8, Ordering::Release);
        *lost = Some(Lost::now(&server, cause, false));
        before == Standing::Up
    }

    /// Notes that the connection is back; returns whether it was lost.
    pub(super) fn restore(&self) -> bool {
        let mut lost = self.lock();
        self.changes.fetch_add(1, Ordering::AcqRel);
        let before = self.standing();
        self.standing.store(Standing::Up as u8, Ordering::Release);
        if let Some(lost) = lost.take().filter(|lost| lost.is_told) {
            telemetry::connection_back(&lost.server, lost.since.elapsed());
        }
        before != Standing::Up
    }

    /// Returns the error of a command that was not sent because the connection is lost.
    pub(super) fn explain(&self) -> Error {
        match &*self.lock() {
            // The class says what to do about it.
            Some(lost) if ErrorClass::AUTH.matches(&lost.cause) => {
                let text = format!("{}; not connected to {lost}", plain(&lost.cause));
                Error::new(lost.cause.kind().clone(), text)
            }
            Some(lost) => not_sent(&lost.to_string(), &plain(&lost.cause)),
            None => not_sent("the server", "the connection is being made"),
        }
    }

    /// Says in the error of a command that timed out that the connection is lost, where that is so.
    pub(super) fn complete(&self, error: Error) -> Error {
        match &*self.lock() {
            Some(lost) if ErrorClass::TIMEOUT.matches(&error) => {
                let details = error.details().trim_end_matches('.');
                let text = format!("{details}; not connected to {lost}: {}", plain(&lost.cause));
                Error::new(error.kind().clone(), text)
            }
            _ => error,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Lost>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lost {
    fn now(server: impl fmt::Display, cause: &Error, is_told: bool) -> Self {
        Self { since: Instant::now(), server: server.to_string(), cause: cause.clone(), is_told }
    }
}

/// Prints the server and for how long it has been lost, to the tenth of a second.
impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} for {:.1} s", self.server, self.since.elapsed().as_secs_f64())
    }
}

/// Returns the error of a command that was not sent; the kind is never that of an answer.
fn not_sent(server: &str, cause: &str) -> Error {
    Error::new(ErrorKind::Canceled, format!("Not connected to {server}: {cause}"))
}

/// Returns why no connection was made, as the error of a command that waited for it: nothing was sent, which the error
/// of the connection does not say of the command.
pub(super) fn unconnected(error: &Error, server: &str) -> Error {
    if ErrorClass::AUTH.matches(error) || error.disposition() != Disposition::Unknown {
        return error.clone();
    }
    not_sent(server, &plain(error))
}

/// Returns what an error says, without the type that made it.
pub(super) fn plain(error: &Error) -> String {
    let details = error.details();
    // fred prints the errors of the system for programmers: `Os { code: 111, kind: ConnectionRefused, message: "…" }`.
    match (details.strip_prefix("Os { code: "), details.split_once("message: \"")) {
        (Some(code), Some((_, message))) => {
            let code = code.split(',').next().unwrap_or_default();
            let message = message.trim_end_matches([' ', '}']).trim_end_matches('"');
            format!("{message} (os error {code})")
        }
        // And those of libraries so: `Custom { kind: InvalidData, error: "…" }`.
        _ => match details.split_once(", error: ") {
            Some((kind, message)) if kind.starts_with("Custom { kind: ") => {
                let message = message.strip_suffix(" }").unwrap_or(message);
                message.trim_matches('"').to_owned()
            }
            _ => details.trim_end_matches('.').to_owned(),
        },
    }
}
