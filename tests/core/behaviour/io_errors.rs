//! What `io::Error` says: every kind, and every code of Linux, with the reason.

use std::{
    collections::BTreeSet,
    error::Error,
    fmt, io,
    io::ErrorKind::{self, *},
    net::ToSocketAddrs,
    sync::Arc,
    time::Duration,
};

use retry_runtime::{
    Aborted, CircuitBreaker, Classify,
    Disposition::{self, NotExecuted, Permanent, Unknown},
    RetryPolicy,
    budget::Cost,
    retryable,
};

use super::script::MILLI;

const KINDS: &[(ErrorKind, Disposition, &str)] = &[
    (ConnectionRefused, NotExecuted, "nobody listens; a connection that exists is reset instead"),
    (AddrInUse, NotExecuted, "nothing was bound, and whoever has the address lets go of it"),
    (
        AddrNotAvailable,
        NotExecuted,
        "no local port is free, or the address is not here yet: nothing was sent",
    ),
    (ResourceBusy, NotExecuted, "turned away by who is busy"),
    (ExecutableFileBusy, NotExecuted, "not written, because it runs; it ends"),
    (Deadlock, NotExecuted, "the lock was not given, the others go on and release theirs"),
    (ConnectionReset, Unknown, "the request may have arrived before"),
    (ConnectionAborted, Unknown, "the request may have arrived before"),
    (BrokenPipe, Unknown, "an earlier part of the request may have arrived"),
    (
        NotConnected,
        Unknown,
        "of a socket that never was connected, and of one that lost its connection",
    ),
    (
        HostUnreachable,
        Unknown,
        "of a connect, and of the wait for an answer: seen when a peer vanished after it had executed",
    ),
    (NetworkUnreachable, Unknown, "as an unreachable host"),
    (NetworkDown, Unknown, "as an unreachable host"),
    (TimedOut, Unknown, "of a connect, and of the wait for an answer"),
    (WouldBlock, Unknown, "how a time limit of a blocking socket ends a read"),
    (Interrupted, Unknown, "a connect goes on nevertheless, a close may be done"),
    (UnexpectedEof, Unknown, "the answer broke off"),
    (WriteZero, Unknown, "a part is written"),
    (StorageFull, Unknown, "a part is written, and room may be made"),
    (QuotaExceeded, Unknown, "a part is written, and room may be made"),
    (OutOfMemory, Unknown, "for the request, or for the answer"),
    (StaleNetworkFileHandle, Unknown, "the file server restarted, before or after it did it"),
    (Other, Unknown, "anything"),
    (NotFound, Permanent, "it is not there; whoever waits for it polls"),
    (PermissionDenied, Permanent, "a repeat has the same rights"),
    (ReadOnlyFilesystem, Permanent, "a repeat has the same rights"),
    (AlreadyExists, Permanent, "the effect is there already"),
    (Unsupported, Permanent, "a repeat finds the same system"),
    (InvalidInput, Permanent, "a repeat sends the same"),
    (InvalidData, Permanent, "what came is not what was expected; a repeat gets the same"),
    (InvalidFilename, Permanent, "a repeat sends the same"),
    (ArgumentListTooLong, Permanent, "a repeat sends the same"),
    (NotADirectory, Permanent, "a repeat finds the same"),
    (IsADirectory, Permanent, "a repeat finds the same"),
    (DirectoryNotEmpty, Permanent, "a repeat finds the same"),
    (NotSeekable, Permanent, "a repeat finds the same"),
    (FileTooLarge, Permanent, "a repeat sends the same"),
    (TooManyLinks, Permanent, "a repeat finds the same"),
    (CrossesDevices, Permanent, "a repeat finds the same"),
];

/// The codes of `asm-generic/errno.h` that have no stable kind; the others are judged by theirs.
const CODES: &[(i32, &str, Disposition, &str)] = &[
    (3, "ESRCH", Permanent, "the process is gone"),
    (5, "EIO", Unknown, "the device may have done it"),
    (6, "ENXIO", Unknown, "a device that is gone, or a pipe that nobody reads yet"),
    (8, "ENOEXEC", Permanent, "a repeat finds the same file"),
    (9, "EBADF", Permanent, "a repeat has the same descriptor"),
    (10, "ECHILD", Permanent, "there is no child"),
    (14, "EFAULT", Permanent, "a repeat has the same address"),
    (15, "ENOTBLK", Permanent, "a repeat finds the same"),
    (19, "ENODEV", Permanent, "a repeat finds the same"),
    (23, "ENFILE", NotExecuted, "nothing was opened, and others close theirs"),
    (24, "EMFILE", NotExecuted, "nothing was opened, and others close theirs"),
    (25, "ENOTTY", Permanent, "a repeat finds the same"),
    (33, "EDOM", Permanent, "a repeat computes the same"),
    (34, "ERANGE", Permanent, "a repeat computes the same"),
    (37, "ENOLCK", NotExecuted, "the table of locks is full: none was given"),
    (40, "ELOOP", Permanent, "a repeat finds the same"),
    (62, "ETIME", Unknown, "of the question, or of the answer"),
    (64, "ENONET", Unknown, "as an unreachable host"),
    (75, "EOVERFLOW", Permanent, "a repeat gets the same"),
    (84, "EILSEQ", Permanent, "a repeat reads the same"),
    (88, "ENOTSOCK", Permanent, "a repeat has the same descriptor"),
    (89, "EDESTADDRREQ", Permanent, "a repeat sends the same"),
    (90, "EMSGSIZE", Permanent, "a repeat sends the same"),
    (91, "EPROTOTYPE", Permanent, "a repeat finds the same"),
    (
        92,
        "ENOPROTOOPT",
        Unknown,
        "no such option, or a peer that does not speak the protocol any more",
    ),
    (93, "EPROTONOSUPPORT", Permanent, "a repeat finds the same system"),
    (94, "ESOCKTNOSUPPORT", Permanent, "a repeat finds the same system"),
    (96, "EPFNOSUPPORT", Permanent, "a repeat finds the same system"),
    (97, "EAFNOSUPPORT", Permanent, "a repeat finds the same system"),
    (102, "ENETRESET", Unknown, "the connection worked before"),
    (105, "ENOBUFS", NotExecuted, "the queue is full: this was not sent"),
    (106, "EISCONN", Permanent, "the effect is there already"),
    (108, "ESHUTDOWN", Unknown, "what was written before may have arrived"),
    (109, "ETOOMANYREFS", NotExecuted, "too many descriptors are under way: nothing was sent"),
    (112, "EHOSTDOWN", Unknown, "as an unreachable host"),
    (114, "EALREADY", Unknown, "it is under way"),
    (115, "EINPROGRESS", Unknown, "it is under way"),
];

/// Of streams, terminals, remote files, keys and broken hardware: too rare for a promise.
const RARE: &str = "nothing is known of it";

#[test]
fn every_kind_says_what_it_proves() {
    for (kind, disposition, reason) in KINDS {
        for error in [io::Error::from(*kind), io::Error::new(*kind, "words")] {
            assert_eq!(error.disposition(), *disposition, "{kind:?}: {reason}");
            assert_ne!(error.class(), "", "{kind:?}");
        }
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn every_code_of_linux_says_what_it_proves() {
    let mut kinds = BTreeSet::new();
    for code in 1..200 {
        let error = io::Error::from_raw_os_error(code);
        // The C library's own table says which codes there are.
        if error.to_string().starts_with("Unknown error") {
            continue;
        }
        let by_kind = KINDS.iter().find(|(kind, ..)| *kind == error.kind());
        let (disposition, reason) = match CODES.iter().find(|(of, ..)| *of == code) {
            Some((_, name, disposition, reason)) => (*disposition, format!("{name}: {reason}")),
            None => by_kind.map_or((Unknown, RARE.to_owned()), |(kind, disposition, reason)| {
                kinds.insert(format!("{kind:?}"));
                (*disposition, format!("{kind:?}: {reason}"))
            }),
        };
        assert_eq!(error.disposition(), disposition, "{error}: {reason}");
        assert_ne!(error.class(), "", "{error}");
    }
    // These the library makes by itself.
    let without_code = [UnexpectedEof, WriteZero, InvalidData, Other];
    assert_eq!(kinds.len(), KINDS.len() - without_code.len(), "{kinds:?}");
}

#[test]
fn a_name_that_is_not_found_was_never_asked_for_anything() {
    let error = "nosuch.invalid:1".to_socket_addrs().map(|_| ()).unwrap_err();
    assert_eq!((error.disposition(), error.class()), (NotExecuted, "lookup"), "{error}");
    let told = io::Error::other(error);
    assert_eq!((told.disposition(), told.class()), (NotExecuted, "lookup"));
}

#[retryable(policy = exponential(base_delay = "1ms", retries = 5), breaker = breaker)]
async fn connect(breaker: &CircuitBreaker, calls: &mut u32) -> io::Result<()> {
    *calls += 1;
    tokio::net::TcpStream::connect("nosuch.invalid:1").await?;
    Ok(())
}

#[tokio::test]
async fn a_resolver_that_does_not_answer_is_asked_again_and_opens_a_breaker() {
    let breaker = CircuitBreaker::builder().minimum_calls(6).build().unwrap();
    let mut calls = 0;
    assert!(connect(&breaker, &mut calls).await.is_err());
    assert_eq!(calls, 6);
    let rejected = connect(&breaker, &mut calls).await.unwrap_err();
    assert_eq!((rejected.kind(), calls), (ResourceBusy, 6));
}

#[test]
fn what_wraps_an_error_speaks_for_it() {
    let files = || io::Error::from_raw_os_error(24);
    let lost = || io::Error::from(ConnectionReset);
    for error in [
        io::Error::other(files()),
        io::Error::other(Box::new(files())),
        io::Error::other(Arc::new(files())),
        io::Error::other(io::Error::other(files())),
        io::Error::new(ResourceBusy, files()),
        io::Error::new(files().kind(), WithPath(files())),
    ] {
        assert_eq!(error.disposition(), NotExecuted, "{error:?}");
    }
    assert_eq!(io::Error::other(files()).class(), "too_many_files");
    for error in [
        io::Error::other(lost()),
        // Two truths.
        io::Error::new(NotFound, files()),
        io::Error::new(ConnectionRefused, lost()),
        // What is neither an error of this type nor one with words added may know better.
        io::Error::other(WithPath(files())),
        io::Error::other("status 500"),
    ] {
        assert_eq!(error.disposition(), Unknown, "{error:?}");
    }
    assert_eq!(io::Error::new(InvalidData, io::Error::from(NotFound)).disposition(), Permanent);
    let deep = (0..100).fold(files(), |inner, _| io::Error::other(inner));
    assert_eq!(deep.disposition(), Unknown);
}

/// Adds words, as `fs_err` does.
#[derive(Debug)]
struct WithPath(io::Error);

impl fmt::Display for WithPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "failed to open `/etc/passwd`: {}", self.0)
    }
}

impl Error for WithPath {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_call_that_was_cut_says_so_wherever_it_is() {
    let limit = Duration::from_secs(1);
    for (aborted, disposition, class) in [
        (Aborted::Deadline(limit), Unknown, "deadline"),
        (Aborted::AttemptTimeout(limit), Unknown, "attempt_timeout"),
        (Aborted::Cancelled, Permanent, "cancelled"),
    ] {
        let error = io::Error::other(io::Error::from(aborted));
        assert_eq!((error.disposition(), error.class()), (disposition, class));
        assert_eq!((aborted.disposition(), aborted.class()), (disposition, class));
    }
    let breaker = CircuitBreaker::builder().minimum_calls(1).build().unwrap();
    let policy = RetryPolicy::constant(MILLI).retries(0).breaker(&breaker);
    let refused = async || Err::<(), _>(io::Error::from(ConnectionRefused));
    assert!(policy.clone().retry(refused).await.is_err());
    let rejected = policy.retry(refused).await.unwrap_err();
    assert_eq!((rejected.disposition(), rejected.class()), (NotExecuted, "breaker_open"));
    assert_eq!(rejected.cost(), Cost::Throttling);
}
