use std::{error::Error, io, sync::Arc};

use crate::failure::{
    aborted::Aborted,
    classify::{Classify, Disposition},
    cost::Cost,
};

/// Classifies by what the failed call to the operating system proves.
///
/// | disposition | errors |
/// | --- | --- |
/// | [`NotExecuted`](Disposition::NotExecuted) | refused connections, failed lookups of a name, no free address or port, file descriptor, buffer or lock, whatever is busy |
/// | [`Unknown`](Disposition::Unknown) | connections that were lost, cut or slow, peers and networks that became unreachable, interrupted calls, incomplete reads and writes, full disks, failed devices, [`io::ErrorKind::Other`], and what has no name |
/// | [`Permanent`](Disposition::Permanent) | what is not there, not allowed, not supported, not valid, too large, or there already |
///
/// One error can cover several truths; then it is unknown.
/// "No route to host" ends an attempt to connect, but also the wait for an answer on a connection whose request was
/// executed.
///
/// An error that wraps another `io::Error` speaks for it: an `io::ErrorKind::Other` says what is inside, and two that
/// contradict each other are unknown.
/// One that wraps a [`Aborted`] says what that says.
///
/// ```
/// use retry_runtime::{Classify, Disposition};
/// use std::io;
///
/// let inner = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(io::Error::other(inner).disposition(), Disposition::NotExecuted);
/// assert_eq!(io::Error::other("status 500").disposition(), Disposition::Unknown);
/// ```
///
/// An operation that has more than one effect knows more than its last error: give it an error type of its own.
impl Classify for io::Error {
    fn disposition(&self) -> Disposition {
        judge(self, DEEPEST).disposition()
    }

    fn class(&self) -> &'static str {
        judge(self, DEEPEST).class
    }

    fn cost(&self) -> Cost {
        judge(self, DEEPEST).cost
    }
}

/// Something that was refused is worth a retry, a limit leaves the outcome open, a cancelled call stays cancelled.
impl Classify for Aborted {
    fn disposition(&self) -> Disposition {
        match self {
            Self::BreakerOpen(_) => Disposition::NotExecuted,
            Self::Deadline(_) | Self::AttemptTimeout(_) => Disposition::Unknown,
            Self::Cancelled => Disposition::Permanent,
        }
    }

    fn class(&self) -> &'static str {
        self.reason().as_str()
    }

    fn cost(&self) -> Cost {
        match self {
            Self::BreakerOpen(_) => Cost::Throttling,
            _ => Cost::Transient,
        }
    }
}

/// How many errors inside each other are looked at.
const DEEPEST: u8 = 8;

/// What is known of an error.
#[derive(Clone, Copy)]
struct Judgement {
    /// `None` if it says nothing of its own.
    disposition: Option<Disposition>,
    class: &'static str,
    cost: Cost,
}

impl Judgement {
    const NOTHING: Self = Self { disposition: None, class: "other", cost: Cost::Transient };

    fn not_executed(class: &'static str) -> Self {
        Self { disposition: Some(Disposition::NotExecuted), class, ..Self::NOTHING }
    }

    fn unknown(class: &'static str) -> Self {
        Self { disposition: Some(Disposition::Unknown), class, ..Self::NOTHING }
    }

    fn permanent(class: &'static str) -> Self {
        Self { disposition: Some(Disposition::Permanent), class, ..Self::NOTHING }
    }

    fn disposition(self) -> Disposition {
        self.disposition.unwrap_or(Disposition::Unknown)
    }
}

fn judge(error: &io::Error, depth: u8) -> Judgement {
    if let Some(judgement) = error.raw_os_error().and_then(by_code) {
        return judgement;
    }
    let own = by_kind(error.kind());
    let Some(inside) = error.get_ref() else { return own };
    if let Some(aborted) = Aborted::of(error) {
        let (class, cost) = (aborted.class(), aborted.cost());
        return Judgement { disposition: Some(aborted.disposition()), class, cost };
    }
    let Some(inner) = depth.checked_sub(1).and_then(|depth| Some((wrapped(error)?, depth))) else {
        return if is_lookup(own, inside) { Judgement::not_executed("lookup") } else { own };
    };
    let inner = judge(inner.0, inner.1);
    match own.disposition {
        None => inner,
        Some(_) if own.disposition == inner.disposition => own,
        Some(_) => Judgement { disposition: Some(Disposition::Unknown), ..own },
    }
}

/// Returns the error that another wraps: as it is, or with words added to it and the kind kept, as `fs_err` does.
fn wrapped(error: &io::Error) -> Option<&io::Error> {
    let inside: &(dyn Error + 'static) = error.get_ref()?;
    let direct = inside
        .downcast_ref::<io::Error>()
        .or_else(|| inside.downcast_ref::<Box<io::Error>>().map(|inner| &**inner))
        .or_else(|| inside.downcast_ref::<Arc<io::Error>>().map(|inner| &**inner));
    // Further inside an error of another type speaks, which may know more than its source.
    direct.or_else(|| {
        let source = inside.source()?.downcast_ref::<io::Error>()?;
        (source.kind() == error.kind()).then_some(source)
    })
}

/// Tells whether the standard library could not look up a name: it has no kind for that, only words.
fn is_lookup(own: Judgement, inside: &(dyn Error + Send + Sync + 'static)) -> bool {
    own.disposition.is_none()
        && inside.to_string().starts_with("failed to lookup address information")
}

fn by_kind(kind: io::ErrorKind) -> Judgement {
    use io::ErrorKind as Kind;
    match kind {
        // A connection that exists is refused by a reset, which has a kind of its own.
        Kind::ConnectionRefused => Judgement::not_executed("connection_refused"),
        // Nothing was sent from an address that cannot be had.
        Kind::AddrInUse | Kind::AddrNotAvailable => Judgement::not_executed("address"),
        // Whoever has it lets go of it.
        Kind::ResourceBusy => {
            Judgement { cost: Cost::Throttling, ..Judgement::not_executed("busy") }
        }
        Kind::ExecutableFileBusy | Kind::Deadlock => Judgement::not_executed("busy"),
        Kind::ConnectionReset => Judgement::unknown("connection_reset"),
        Kind::ConnectionAborted => Judgement::unknown("connection_aborted"),
        Kind::BrokenPipe => Judgement::unknown("broken_pipe"),
        // Before a request, and after one on a connection that was lost meanwhile.
        Kind::NotConnected => Judgement::unknown("not_connected"),
        // Of a connection to be made, and of one whose answer does not come.
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
            Judgement::unknown("unreachable")
        }
        Kind::TimedOut | Kind::WouldBlock => Judgement::unknown("timed_out"),
        Kind::Interrupted => Judgement::unknown("interrupted"),
        // A part is there.
        Kind::UnexpectedEof => Judgement::unknown("unexpected_eof"),
        Kind::WriteZero => Judgement::unknown("write_zero"),
        Kind::StorageFull | Kind::QuotaExceeded => Judgement::unknown("storage_full"),
        // Also of one that did not fit an answer.
        Kind::OutOfMemory => Judgement::unknown("out_of_memory"),
        // The file may be opened again, the server may have done what was asked.
        Kind::StaleNetworkFileHandle => Judgement::unknown("stale_file_handle"),
        Kind::NotFound => Judgement::permanent("not_found"),
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
            Judgement::permanent("permission_denied")
        }
        Kind::AlreadyExists => Judgement::permanent("already_exists"),
        Kind::Unsupported => Judgement::permanent("unsupported"),
        Kind::InvalidInput
        | Kind::InvalidData
        | Kind::InvalidFilename
        | Kind::ArgumentListTooLong
        | Kind::NotADirectory
        | Kind::IsADirectory
        | Kind::DirectoryNotEmpty
        | Kind::NotSeekable
        | Kind::FileTooLarge
        | Kind::TooManyLinks
        | Kind::CrossesDevices => Judgement::permanent("invalid"),
        // `Other`, what has no name, and kinds to come.
        _ => Judgement::NOTHING,
    }
}

/// Returns what a code of the system says that has no kind; `None` leaves it to the kind.
///
/// The numbers are those of the systems' headers; up to 34 every Unix has the same.
#[cfg(unix)]
fn by_code(code: i32) -> Option<Judgement> {
    const BSD: bool = cfg!(not(any(target_os = "linux", target_os = "android")));
    // On these processors Linux has numbers of its own.
    const LINUX: bool = !BSD
        && cfg!(not(any(
            target_arch = "mips",
            target_arch = "mips32r6",
            target_arch = "mips64",
            target_arch = "mips64r6",
            target_arch = "sparc",
            target_arch = "sparc64"
        )));
    Some(match code {
        // ENFILE, EMFILE: nothing was opened.
        23 | 24 => Judgement::not_executed("too_many_files"),
        // EIO: the device may have done it. ENXIO: of a device that is gone, of a pipe that nobody reads yet.
        5 | 6 => Judgement::unknown("device"),
        // ESRCH, ENOEXEC, EBADF, ECHILD, EFAULT, ENOTBLK, ENODEV, ENOTTY, EDOM, ERANGE.
        3 | 8 | 9 | 10 | 14 | 15 | 19 | 25 | 33 | 34 => Judgement::permanent("invalid"),
        // ENOLCK, ENOBUFS, ETOOMANYREFS: the table is full, nothing was sent.
        37 | 105 | 109 if LINUX => Judgement::not_executed("no_buffers"),
        55 if BSD => Judgement::not_executed("no_buffers"),
        // ENONET, EHOSTDOWN.
        64 | 112 if LINUX => Judgement::unknown("unreachable"),
        // ENETRESET, ESHUTDOWN: the connection worked before.
        102 | 108 if LINUX => Judgement::unknown("connection_reset"),
        // ETIME, EALREADY, EINPROGRESS.
        62 | 114 | 115 if LINUX => Judgement::unknown("timed_out"),
        // ELOOP, EOVERFLOW, EILSEQ, ENOTSOCK, EDESTADDRREQ, EMSGSIZE, EPROTOTYPE, EPROTONOSUPPORT, ESOCKTNOSUPPORT,
        // EOPNOTSUPP, EPFNOSUPPORT, EAFNOSUPPORT, EISCONN.
        40 | 75 | 84 | 88..=91 | 93..=97 | 106 if LINUX => Judgement::permanent("invalid"),
        _ => return None,
    })
}

/// The numbers of Windows.
#[cfg(windows)]
fn by_code(code: i32) -> Option<Judgement> {
    Some(match code {
        // ERROR_TOO_MANY_OPEN_FILES, WSAEMFILE.
        4 | 10024 => Judgement::not_executed("too_many_files"),
        // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION.
        32 | 33 => Judgement::not_executed("busy"),
        // WSAENOBUFS.
        10055 => Judgement::not_executed("no_buffers"),
        // WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA.
        11001..=11004 => Judgement::not_executed("lookup"),
        // WSAEHOSTDOWN.
        10064 => Judgement::unknown("unreachable"),
        _ => return None,
    })
}

#[cfg(not(any(unix, windows)))]
fn by_code(_: i32) -> Option<Judgement> {
    None
}
