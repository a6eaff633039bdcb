//! Refusals that prove nothing.

use ::fred::error::{Error, ErrorKind};

use super::classify::classify;
use crate::failure::classify::Disposition;

/// What is added to an error that refuses a command which may have been executed.
///
/// fred's errors have no other room for it; the text before stays what the server said, by whose first word programs
/// go.
const DOUBT: &str = " [may have been executed, at least in part]";

/// Tells whether an error says so of itself.
pub(super) fn is_in_doubt(error: &Error) -> bool {
    error.details().contains(DOUBT)
}

/// Returns the error of what may have been executed, whatever its text says.
pub(super) fn in_doubt(error: Error) -> Error {
    if classify(&error).1 != Disposition::NotExecuted {
        return error;
    }
    Error::new(error.kind().clone(), format!("{}{DOUBT}", error.details()))
}

/// Returns the error of what turned out not to have been executed.
#[cfg(feature = "i-scripts")]
pub(super) fn settled(error: Error) -> Error {
    match error.details().split_once(DOUBT) {
        Some((details, rest)) => Error::new(error.kind().clone(), format!("{details}{rest}")),
        None => error,
    }
}

/// Returns the error of what makes up errors itself, or is sent in parts.
///
/// That fred sent nothing is proven by the kinds that it gives to no answer of a server, and to no part.
pub(super) fn unless_kept(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Canceled | ErrorKind::Backpressure => error,
        _ => in_doubt(error),
    }
}
