use ::fred::error::{Error, ErrorKind};

use super::{connection::CLOSED, doubt::is_in_doubt};
use crate::{
    failure::{
        aborted::Aborted,
        classify::{
            Classify,
            Disposition::{self, NotExecuted, Permanent, Unknown},
        },
    },
    fred::ErrorClass,
    overload::Cost,
};

/// Classifies the error of **one command that fred sent at most once** (`Options { max_attempts: Some(1), .. }`).
///
/// A lost connection, a timeout and everything else that can hide an execution is [`Disposition::Unknown`].
/// A refusal by the server that may pass is [`Disposition::NotExecuted`], with these exceptions:
///
/// - On `CLUSTERDOWN` fred closes the connection and answers every command on it with that text, executed or not, so
///   it is [`Disposition::Unknown`].
///   The same holds for `NOAUTH` with `reconnect_on_auth_error`, and for `READONLY` and `LOADING` with fred's feature
///   `custom-reconnect-errors`; an error does not show these settings, so they are [`Disposition::Unknown`] too.
///   Other prefixes in `reconnect_errors` are equally doubtful.
/// - A reply that does not convert belongs to a command that was executed, and is [`Disposition::Permanent`].
///
/// The errors of a [`RetryClient`](crate::fred::RetryClient) also speak for a whole pipeline or transaction and for scripts:
/// where a refusal proves nothing, because others were executed or because a script can make it up, its text ends with
/// `[may have been executed, at least in part]`, and it is [`Disposition::Unknown`].
/// Those of a bare fred client do not.
impl Classify for Error {
    fn disposition(&self) -> Disposition {
        classify(self).1
    }

    fn class(&self) -> &'static str {
        classify(self).0.name()
    }

    /// A command that was not executed because of the connection is free, one that a living server turned away costs as
    /// throttling.
    fn cost(&self) -> Cost {
        match classify(self) {
            (class, NotExecuted) if OWN_STATE.contains(class) => Cost::Free,
            (class, _) if TURNED_AWAY.contains(class) => Cost::Throttling,
            _ => Cost::Transient,
        }
    }
}

/// What has its cause in the connection or in another client, and loaded no server.
const OWN_STATE: ErrorClass = ErrorClass::CONNECTION
    .union(ErrorClass::CANCELED)
    .union(ErrorClass::BACKPRESSURE)
    .union(ErrorClass::ROUTING)
    .union(ErrorClass::REDIRECT)
    .union(ErrorClass::UNBLOCKED)
    .union(ErrorClass::NO_SCRIPT)
    .union(ErrorClass::WATCH);

/// What a server says that is alive and does not do the work.
const TURNED_AWAY: ErrorClass = ErrorClass::BUSY
    .union(ErrorClass::LOADING)
    .union(ErrorClass::CLUSTER_DOWN)
    .union(ErrorClass::TRY_AGAIN)
    .union(ErrorClass::READ_ONLY)
    .union(ErrorClass::MASTER_DOWN)
    .union(ErrorClass::NO_REPLICAS)
    .union(ErrorClass::MISCONF)
    .union(ErrorClass::OOM);

/// A time limit is of the class [`TIMEOUT`](ErrorClass::TIMEOUT), a cancelled call [`CANCELED`](ErrorClass::CANCELED),
/// an open breaker [`BACKPRESSURE`](ErrorClass::BACKPRESSURE).
impl From<Aborted> for Error {
    fn from(aborted: Aborted) -> Self {
        match aborted {
            Aborted::Deadline(_) | Aborted::AttemptTimeout(_) => {
                Self::new(ErrorKind::Timeout, aborted.to_string())
            }
            Aborted::Cancelled => Self::new(ErrorKind::Canceled, format!("Canceled. {aborted}")),
            Aborted::BreakerOpen(_) => Self::new(ErrorKind::Backpressure, aborted.to_string()),
        }
    }
}

/// Returns the class of an error and what it says about the attempt.
///
/// Kinds that fred makes on its own decide alone; most others are `Unknown` or too wide, so the text decides.
pub(super) fn classify(error: &Error) -> (ErrorClass, Disposition) {
    let (class, disposition) = by_kind(error.kind())
        .or_else(|| by_text(error.details()))
        .unwrap_or_else(|| otherwise(error.kind()));
    match disposition {
        NotExecuted if is_in_doubt(error) => (class, Unknown),
        disposition => (class, disposition),
    }
}

/// Classifies the kinds under which all texts mean the same.
fn by_kind(kind: &ErrorKind) -> Option<(ErrorClass, Disposition)> {
    Some(match kind {
        // A connection lost before the server read the command and one lost after it answered look alike.
        ErrorKind::IO | ErrorKind::Sentinel => (ErrorClass::CONNECTION, Unknown),
        // Not written, not answered and waiting for a reconnect have one text; so has a blocking pop without result.
        ErrorKind::Timeout => (ErrorClass::TIMEOUT, Unknown),
        // One frame that does not decode fails every command on the connection.
        ErrorKind::Protocol => (ErrorClass::PROTOCOL, Unknown),
        ErrorKind::Backpressure => (ErrorClass::BACKPRESSURE, NotExecuted),
        ErrorKind::Parse | ErrorKind::NotFound => (ErrorClass::PARSE, Permanent),
        ErrorKind::Config | ErrorKind::Url => (ErrorClass::OTHER, Permanent),
        _ => return None,
    })
}

/// What an error says that begins with these words; where two rows fit, the first counts.
///
/// Upper case is the server's, sentence case is fred's.
#[rustfmt::skip]
const TEXTS: &[(&str, ErrorClass, Disposition)] = &[
    // The server refused the command before it ran, for a reason that may pass.
    ("TRYAGAIN",    ErrorClass::TRY_AGAIN,     NotExecuted),
    ("BUSY",        ErrorClass::BUSY,          NotExecuted),
    ("MASTERDOWN",  ErrorClass::MASTER_DOWN,   NotExecuted),
    ("NOREPLICAS",  ErrorClass::NO_REPLICAS,   NotExecuted),
    ("MISCONF",     ErrorClass::MISCONF,       NotExecuted),
    ("OOM",         ErrorClass::OOM,           NotExecuted),
    ("NOSCRIPT",    ErrorClass::NO_SCRIPT,     NotExecuted),
    ("EXECABORT",   ErrorClass::EXEC_ABORT,    NotExecuted),
    // The instance became a replica; the next attempt may find the new primary.
    ("UNBLOCKED force unblock", ErrorClass::UNBLOCKED, NotExecuted),
    ("MOVED",       ErrorClass::REDIRECT,      NotExecuted),
    ("ASK",         ErrorClass::REDIRECT,      NotExecuted),
    ("ERR max number of clients", ErrorClass::CONNECTION, NotExecuted),

    // The server refused somebody's command, and fred may have answered ours with the same text.
    ("CLUSTERDOWN", ErrorClass::CLUSTER_DOWN,  Unknown),
    ("LOADING",     ErrorClass::LOADING,       Unknown),
    ("READONLY",    ErrorClass::READ_ONLY,     Unknown),
    ("NOAUTH",      ErrorClass::AUTH,          Unknown),

    // A migration that broke off may have arrived at its target.
    ("IOERR",       ErrorClass::OTHER,         Unknown),

    // The server will refuse the same command again; an `ERR` from a script may also follow writes that stay.
    ("WRONGPASS",   ErrorClass::AUTH,          Permanent),
    ("NOPERM",      ErrorClass::NO_PERMISSION, Permanent),
    ("DENIED",      ErrorClass::NO_PERMISSION, Permanent),
    ("WRONGTYPE",   ErrorClass::WRONG_TYPE,    Permanent),
    ("CROSSSLOT",   ErrorClass::CROSS_SLOT,    Permanent),
    ("NOGROUP",     ErrorClass::NO_GROUP,      Permanent),
    ("BUSYGROUP",   ErrorClass::BUSY_GROUP,    Permanent),
    ("BUSYKEY",     ErrorClass::SERVER_ERROR,  Permanent),
    // Somebody ended the command because it is not wanted any more, or what it waited for is gone.
    ("UNBLOCKED",   ErrorClass::UNBLOCKED,     Permanent),
    ("ERR",         ErrorClass::SERVER_ERROR,  Permanent),

    // The server did not execute the transaction.
    ("A watched key changed.",           ErrorClass::WATCH,      NotExecuted),

    // We did not send the command, and the caller wanted that.
    (CLOSED,                             ErrorClass::CANCELED,   Permanent),
    // We did not send the command.
    ("Not connected to",                 ErrorClass::CONNECTION, NotExecuted),
    // fred did not send the command.
    ("Canceled.",                        ErrorClass::CANCELED,   NotExecuted),
    ("Connection closed unexpectedly.",  ErrorClass::CONNECTION, NotExecuted),
    ("Client is not initialized.",       ErrorClass::CONNECTION, NotExecuted),
    ("Failed to send command to router.", ErrorClass::CONNECTION, NotExecuted),
    ("Error sending command while connection is blocked.", ErrorClass::BACKPRESSURE, NotExecuted),
    // There is no connection to the node of the command.
    ("Failed to route command.",         ErrorClass::CONNECTION, NotExecuted),
    ("Unable to route command or reconnect.", ErrorClass::ROUTING, NotExecuted),
    ("Too many redirections.",           ErrorClass::REDIRECT,   NotExecuted),
    // Here: of the `ASKING` that would have gone before the command.
    ("Max attempts reached.",            ErrorClass::REDIRECT,   NotExecuted),

    // A redirect that used up the only attempt, or a command in flight when fred reconnected: executed or not.
    ("Too many failed write attempts.",  ErrorClass::CONNECTION, Unknown),
    // fred's router ended with the command in flight.
    ("channel closed",                   ErrorClass::CONNECTION, Unknown),

    // The transaction was refused as a whole, and would be again.
    ("All transaction commands must use the same cluster node.", ErrorClass::CROSS_SLOT, Permanent),
    // The command was executed and answered; only the type that the caller asked for does not fit.
    ("Expected OK, found",               ErrorClass::PARSE,      Permanent),
    ("Could not convert",                ErrorClass::PARSE,      Permanent),
];

/// Looks the text up in [`TEXTS`], by whole words.
fn by_text(details: &str) -> Option<(ErrorClass, Disposition)> {
    let details = details.trim_start();
    let row = TEXTS.iter().find(|(words, ..)| {
        details
            .strip_prefix(words)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    });
    row.map(|(_, class, disposition)| (*class, *disposition))
}

/// Classifies a text that is not in the table: unknown, unless the kind says that fred refused the arguments.
fn otherwise(kind: &ErrorKind) -> (ErrorClass, Disposition) {
    match kind {
        ErrorKind::InvalidArgument | ErrorKind::InvalidCommand => {
            (ErrorClass::INVALID_ARGUMENT, Permanent)
        }
        ErrorKind::Auth => (ErrorClass::AUTH, Unknown),
        ErrorKind::Cluster => (ErrorClass::CLUSTER_DOWN, Unknown),
        ErrorKind::Routing => (ErrorClass::ROUTING, Unknown),
        ErrorKind::Canceled => (ErrorClass::CANCELED, Unknown),
        _ => (ErrorClass::OTHER, Unknown),
    }
}
