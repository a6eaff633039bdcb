use std::{error::Error, io, sync::Arc};

use crate::failure::{
    aborted::Aborted,
    classify::{Classify, Disposition},
    cost::Cost,
};

/// Classifies each error by what the failed call to the operating system proves.
///
/// | disposition | errors |
/// | --- | --- |
/// | [`NotExecuted`](Disposition::NotExecuted) | refused connections, failed name lookups, busy resources, no free address, port, file descriptor, buffer or lock |
/// | [`Unknown`](Disposition::Unknown) | lost, broken or slow connections, peers and networks that became unreachable, interrupted calls, incomplete reads and writes, full disks, failed devices, [`io::ErrorKind::Other`], and errors without a name |
/// | [`Permanent`](Disposition::Permanent) | things that do not exist, exist already, are not allowed, not supported, invalid or too large |
///
/// An error that can have several causes is unknown.
/// "No route to host" ends an attempt to connect, but also the wait for an answer on a connection whose request was
/// executed.
///
/// An error that wraps another `io::Error` takes its disposition: an `io::ErrorKind::Other` is classified by the error
/// inside, and two that contradict each other are unknown.
/// An error that wraps an [`Aborted`] has the disposition of that.
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
/// An operation with several effects knows more than its last error proves: give it an error type of its own.
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

/// A refused call is worth a retry, a limit leaves the outcome unknown, a cancelled call stays cancelled.
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

/// How many nested errors are examined.
const DEEPEST: u8 = 8;

/// What is known about an error.
#[derive(Clone, Copy)]
struct Judgement {
    /// `None` if the error proves nothing by itself.
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

/// Returns the error inside another: either directly, or as the source of an error that keeps its kind and adds text, as
/// `fs_err` does.
fn wrapped(error: &io::Error) -> Option<&io::Error> {
    let inside: &(dyn Error + 'static) = error.get_ref()?;
    let direct = inside
        .downcast_ref::<io::Error>()
        .or_else(|| inside.downcast_ref::<Box<io::Error>>().map(|inner| &**inner))
        .or_else(|| inside.downcast_ref::<Arc<io::Error>>().map(|inner| &**inner));
    // Anything deeper belongs to an error of another type, which can know more than its source.
    direct.or_else(|| {
        let source = inside.source()?.downcast_ref::<io::Error>()?;
        (source.kind() == error.kind()).then_some(source)
    })
}

/// Returns whether a name lookup failed: the standard library has no kind for that, only a text.
fn is_lookup(own: Judgement, inside: &(dyn Error + Send + Sync + 'static)) -> bool {
    own.disposition.is_none()
        && inside.to_string().starts_with("failed to lookup address information")
}

fn by_kind(kind: io::ErrorKind) -> Judgement {
    use io::ErrorKind as Kind;
    match kind {
        // An existing connection ends with a reset, which has a kind of its own.
        Kind::ConnectionRefused => Judgement::not_executed("connection_refused"),
        // Nothing was sent, because the address is not available.
        Kind::AddrInUse | Kind::AddrNotAvailable => Judgement::not_executed("address"),
        // Its holder will release it.
        Kind::ResourceBusy => {
            Judgement { cost: Cost::Throttling, ..Judgement::not_executed("busy") }
        }
        Kind::ExecutableFileBusy | Kind::Deadlock => Judgement::not_executed("busy"),
        Kind::ConnectionReset => Judgement::unknown("connection_reset"),
        Kind::ConnectionAborted => Judgement::unknown("connection_aborted"),
        Kind::BrokenPipe => Judgement::unknown("broken_pipe"),
        // Before a request, or after one whose connection was lost in the meantime.
        Kind::NotConnected => Judgement::unknown("not_connected"),
        // While connecting, or while waiting for an answer.
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
            Judgement::unknown("unreachable")
        }
        Kind::TimedOut | Kind::WouldBlock => Judgement::unknown("timed_out"),
        Kind::Interrupted => Judgement::unknown("interrupted"),
        // A part has arrived.
        Kind::UnexpectedEof => Judgement::unknown("unexpected_eof"),
        Kind::WriteZero => Judgement::unknown("write_zero"),
        Kind::StorageFull | Kind::QuotaExceeded => Judgement::unknown("storage_full"),
        // Also if an answer was too large.
        Kind::OutOfMemory => Judgement::unknown("out_of_memory"),
        // The file can be opened again, but the server may have executed the request.
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
        // `Other`, errors without a name, and future kinds.
        _ => Judgement::NOTHING,
    }
}

/// Judges system error codes that have no kind; `None` leaves the judgement to the kind.
///
/// The numbers are those of the systems' headers; up to 34 they are the same on every Unix.
#[cfg(unix)]
fn by_code(code: i32) -> Option<Judgement> {
    const BSD: bool = cfg!(not(any(target_os = "linux", target_os = "android")));
    // On these processors Linux uses different numbers.
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
        // EIO: the device may have executed it. ENXIO: the device is gone, or nobody reads the pipe yet.
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
