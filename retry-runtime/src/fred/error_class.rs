use std::{fmt, ops::BitOr};

use ::fred::error::Error;

use crate::{
    failure::{Failure, info::FailureInfo},
    fred::classify::classify,
    policy::Rule,
};

/// A set of classes of fred errors, to name the ones that a policy retries.
///
/// The names are those of the server's error prefixes, and every error belongs to exactly one class.
/// A server that still loads its data is [`LOADING`](Self::LOADING), say, and not [`CONNECTION`](Self::CONNECTION),
/// so name both to ride out a restart.
///
/// `on` overrides the safe default: an error of a named class is retried even if the command may have been executed.
///
/// ```
/// use fred::error::{Error, ErrorKind};
/// use retry_runtime::ErrorClass;
///
/// const RESTART: ErrorClass = ErrorClass::CONNECTION.union(ErrorClass::LOADING);
///
/// let loading = Error::new(ErrorKind::Unknown, "LOADING Redis is loading the dataset in memory");
/// assert_eq!(ErrorClass::of(&loading), ErrorClass::LOADING);
/// assert!(RESTART.matches(&loading));
///
/// // The first word is compared as a whole: an existing consumer group is not a busy server.
/// let exists = Error::new(ErrorKind::Unknown, "BUSYGROUP Consumer Group name already exists");
/// assert!(!ErrorClass::BUSY.matches(&exists));
///
/// assert_eq!(format!("{RESTART:?}"), "CONNECTION | LOADING");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorClass(u32);

/// Declares one constant per class, and the list of names that `Debug` prints.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $bit:literal,)*) => {
        impl ErrorClass {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            /// Every error.
            pub const ANY: Self = Self(0 $(| 1 << $bit)*);
        }

        const NAMES: &[(ErrorClass, &str)] = &[$((ErrorClass::$name, stringify!($name)),)*];
    };
}

classes! {
    /// The connection was refused, lost or never made: fred's IO and Sentinel errors, `channel closed`,
    /// `Too many failed write attempts.`, `ERR max number of clients reached`.
    CONNECTION = 0,
    /// fred gave up waiting, or a time limit aborted the attempt: `Request timed out.`
    TIMEOUT = 1,
    /// The cluster has no owner for the slot: `CLUSTERDOWN The cluster is down`.
    CLUSTER_DOWN = 2,
    /// The server reads its data from disk: `LOADING Redis is loading the dataset in memory`.
    LOADING = 3,
    /// The server is a replica: `READONLY You can't write against a read only replica.`
    READ_ONLY = 4,
    /// The slot is on the move: `TRYAGAIN Multiple keys request during rehashing of slot`.
    TRY_AGAIN = 5,
    /// The key holds another type: `WRONGTYPE Operation against a key holding the wrong kind of value`.
    WRONG_TYPE = 6,
    /// The server does not know the script: `NOSCRIPT No matching script.`
    NO_SCRIPT = 7,
    /// The server runs a long script: `BUSY Redis is busy running a script.`
    BUSY = 8,
    /// The replica lost its primary and may not serve stale data: `MASTERDOWN Link with MASTER is down`.
    MASTER_DOWN = 9,
    /// The memory limit is reached: `OOM command not allowed when used memory > 'maxmemory'.`
    OOM = 10,
    /// The server cannot save to disk and refuses writes: `MISCONF Redis is configured to save RDB snapshots`.
    MISCONF = 11,
    /// Too few replicas are attached: `NOREPLICAS Not enough good replicas to write.`
    NO_REPLICAS = 12,
    /// The client is not logged in: `NOAUTH Authentication required.`, `WRONGPASS invalid username-password pair`.
    AUTH = 13,
    /// The key lives on another node and fred did not follow: `MOVED`, `ASK`, `Too many redirections.`
    REDIRECT = 14,
    /// The keys of one command are in different slots: `CROSSSLOT Keys in request don't hash to the same slot`.
    CROSS_SLOT = 15,
    /// The server refused a queued command, and so the transaction: `EXECABORT Transaction discarded`.
    EXEC_ABORT = 16,
    /// The user may not run the command: `NOPERM`, `DENIED`.
    NO_PERMISSION = 17,
    /// fred's queue is full, or its connection blocked: `Max in-flight commands reached.`
    BACKPRESSURE = 18,
    /// fred ended before it sent the command: `Canceled.`
    CANCELED = 19,
    /// The command was executed, but its reply does not convert: `Cannot convert to map.`, `Expected OK, found ..`
    PARSE = 20,
    /// fred did not understand the server: `Decode Error`.
    PROTOCOL = 21,
    /// Somebody ended the blocking command: `UNBLOCKED client unblocked via CLIENT UNBLOCK`.
    UNBLOCKED = 22,
    /// The stream has no such consumer group: `NOGROUP No such consumer group`.
    NO_GROUP = 23,
    /// The consumer group is there already: `BUSYGROUP Consumer Group name already exists`.
    BUSY_GROUP = 24,
    /// fred knows no node for the command: `Unable to route command or reconnect.`
    ROUTING = 25,
    /// An argument does not convert, or the command is not valid at this point: `At least one key is required.`
    INVALID_ARGUMENT = 26,
    /// The server refused the command in general terms: `ERR syntax error`.
    SERVER_ERROR = 27,
    /// A watched key changed before the transaction: `A watched key changed.`
    WATCH = 28,
    /// Everything else.
    OTHER = 29,
}

impl ErrorClass {
    /// No error.
    pub const NONE: Self = Self(0);

    /// Returns the one class that `error` belongs to.
    pub fn of(error: &Error) -> Self {
        classify(error).0
    }

    /// Returns the name of a class, empty for a set.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(class, _)| *class == self).map_or("", |(_, name)| name)
    }

    /// Returns the set with the classes of both; `|` in a `const`.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Tells whether every class of `other` is in this set; true if `other` is [`NONE`](Self::NONE).
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Tells whether the class of `error` is in this set.
    pub fn matches(self, error: &Error) -> bool {
        self.contains(Self::of(error))
    }
}

impl BitOr for ErrorClass {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

/// Prints the names joined by ` | `, or `ANY`, or `NONE`.
impl fmt::Debug for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => return formatter.write_str("NONE"),
            Self::ANY => return formatter.write_str("ANY"),
            _ => {}
        }
        let mut separator = "";
        for (_, name) in NAMES.iter().filter(|(class, _)| self.contains(*class)) {
            write!(formatter, "{separator}{name}")?;
            separator = " | ";
        }
        Ok(())
    }
}

/// Allows the errors whose class is in the set, whatever their [`Disposition`](crate::failure::classify::Disposition).
impl<C> Rule<Error, C> for ErrorClass {
    fn allows(&self, failure: &Failure<'_, Error>, _: &C) -> bool {
        failure.error().is_none_or(|error| self.matches(error))
    }

    fn info(&self, failure: &Failure<'_, Error>, _: &C) -> FailureInfo {
        FailureInfo::of(failure)
    }
}
