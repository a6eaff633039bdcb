//! What every error that fred can return says about its command: its class, and whether a repeat is safe.

use std::time::Duration;

use fred::error::{Error, ErrorKind as Kind};
use retry_runtime::{
    Aborted, Classify,
    Disposition::{self, NotExecuted, Permanent, Unknown},
    ErrorClass as Class,
};

/// Checks every row and reports all that are wrong at once.
fn check(rows: &[(Kind, &'static str, Class, Disposition)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(kind, details, class, disposition)| {
            let error = Error::new(kind.clone(), *details);
            let found = (Class::of(&error), error.disposition());
            (found != (*class, *disposition))
                .then(|| format!("{error}: {found:?}, not {:?}", (class, disposition)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[rustfmt::skip]
fn a_refusal_of_the_server_that_may_pass_is_not_executed() {
    check(&[
        (Kind::Unknown, "NOSCRIPT No matching script. Please use EVAL.", Class::NO_SCRIPT, NotExecuted),
        (Kind::Unknown, "OOM command not allowed when used memory > 'maxmemory'.", Class::OOM, NotExecuted),
        (Kind::Unknown, "NOREPLICAS Not enough good replicas to write.", Class::NO_REPLICAS, NotExecuted),
        (Kind::Unknown, "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", Class::MISCONF, NotExecuted),
        (Kind::Unknown, "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Class::BUSY, NotExecuted),
        (Kind::Unknown, "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Class::MASTER_DOWN, NotExecuted),
        (Kind::Unknown, "TRYAGAIN Multiple keys request during rehashing of slot", Class::TRY_AGAIN, NotExecuted),
        (Kind::Unknown, "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", Class::UNBLOCKED, NotExecuted),
        (Kind::Unknown, "EXECABORT Transaction discarded because of previous errors.", Class::EXEC_ABORT, NotExecuted),
        (Kind::Unknown, "ERR max number of clients reached", Class::CONNECTION, NotExecuted),
        (Kind::Unknown, "ERR max number of clients + cluster connections reached", Class::CONNECTION, NotExecuted),
        (Kind::Cluster, "MOVED 3999 127.0.0.1:6381", Class::REDIRECT, NotExecuted),
        (Kind::Cluster, "ASK 3999 127.0.0.1:6381", Class::REDIRECT, NotExecuted),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_refusal_that_fred_puts_on_other_commands_too_is_unknown() {
    check(&[
        (Kind::Cluster, "CLUSTERDOWN The cluster is down", Class::CLUSTER_DOWN, Unknown),
        (Kind::Cluster, "CLUSTERDOWN Hash slot not served", Class::CLUSTER_DOWN, Unknown),
        (Kind::Unknown, "LOADING Redis is loading the dataset in memory", Class::LOADING, Unknown),
        (Kind::Unknown, "READONLY You can't write against a read only replica.", Class::READ_ONLY, Unknown),
        (Kind::Auth, "NOAUTH Authentication required.", Class::AUTH, Unknown),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_refusal_that_will_not_pass_is_permanent() {
    check(&[
        (Kind::InvalidArgument, "WRONGTYPE Operation against a key holding the wrong kind of value", Class::WRONG_TYPE, Permanent),
        (Kind::Auth, "WRONGPASS invalid username-password pair or user is disabled.", Class::AUTH, Permanent),
        (Kind::Unknown, "NOPERM this user has no permissions to run the 'get' command", Class::NO_PERMISSION, Permanent),
        (Kind::Unknown, "DENIED Redis is running in protected mode", Class::NO_PERMISSION, Permanent),
        (Kind::Unknown, "CROSSSLOT Keys in request don't hash to the same slot", Class::CROSS_SLOT, Permanent),
        (Kind::Unknown, "NOGROUP No such consumer group 'g' for key name 's'", Class::NO_GROUP, Permanent),
        (Kind::Unknown, "UNBLOCKED client unblocked via CLIENT UNBLOCK", Class::UNBLOCKED, Permanent),
        (Kind::Unknown, "UNBLOCKED the stream key no longer exists", Class::UNBLOCKED, Permanent),
        (Kind::Unknown, "ERR syntax error", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "ERR value is not an integer or out of range", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "ERR value is not a valid float", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "ERR user_script:1: boom script: 5ea0, on @user_script:1.", Class::SERVER_ERROR, Permanent),
        (Kind::Config, "ERR This instance has cluster support disabled", Class::OTHER, Permanent),
        (Kind::Cluster, "All transaction commands must use the same cluster node.", Class::CROSS_SLOT, Permanent),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_failure_of_the_transport_is_unknown() {
    check(&[
        (Kind::IO, "Connection closed.", Class::CONNECTION, Unknown),
        (Kind::IO, "Unresponsive connection.", Class::CONNECTION, Unknown),
        (Kind::IO, "Os { code: 104, kind: ConnectionReset, message: \"Connection reset by peer\" }", Class::CONNECTION, Unknown),
        (Kind::IO, "Os { code: 32, kind: BrokenPipe, message: \"Broken pipe\" }", Class::CONNECTION, Unknown),
        (Kind::IO, "Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }", Class::CONNECTION, Unknown),
        (Kind::Sentinel, "Failed to connect to all sentinel nodes.", Class::CONNECTION, Unknown),
        (Kind::Timeout, "Request timed out.", Class::TIMEOUT, Unknown),
        (Kind::Protocol, "Decode Error: Invalid frame type", Class::PROTOCOL, Unknown),
        (Kind::Protocol, "Unexpected empty frame received.", Class::PROTOCOL, Unknown),
        (Kind::Protocol, "Invalid or missing cluster state.", Class::PROTOCOL, Unknown),
        (Kind::Unknown, "Too many failed write attempts.", Class::CONNECTION, Unknown),
        (Kind::Unknown, "channel closed", Class::CONNECTION, Unknown),
    ]);
}

#[test]
fn a_client_that_the_caller_closed_fails_for_good() {
    let closed = "Canceled. The client was closed by `quit`.";
    check(&[(Kind::Canceled, closed, Class::CANCELED, Permanent)]);
}

#[test]
#[rustfmt::skip]
fn a_command_that_fred_kept_back_is_not_executed() {
    check(&[
        (Kind::Canceled, "Canceled.", Class::CANCELED, NotExecuted),
        (Kind::Canceled, "Connection closed unexpectedly.", Class::CONNECTION, NotExecuted),
        (Kind::Unknown, "Client is not initialized.", Class::CONNECTION, NotExecuted),
        (Kind::Unknown, "Failed to send command to router.", Class::CONNECTION, NotExecuted),
        (Kind::Backpressure, "Max in-flight commands reached.", Class::BACKPRESSURE, NotExecuted),
        (Kind::InvalidCommand, "Error sending command while connection is blocked.", Class::BACKPRESSURE, NotExecuted),
        (Kind::Unknown, "Failed to route command.", Class::CONNECTION, NotExecuted),
        (Kind::Routing, "Failed to route command.", Class::CONNECTION, NotExecuted),
        (Kind::Routing, "Unable to route command or reconnect.", Class::ROUTING, NotExecuted),
        (Kind::Routing, "Too many redirections.", Class::REDIRECT, NotExecuted),
        (Kind::Routing, "Max attempts reached.", Class::REDIRECT, NotExecuted),
    ]);
}

#[test]
#[rustfmt::skip]
fn values_that_do_not_convert_are_permanent() {
    check(&[
        (Kind::Parse, "Invalid integer string.", Class::PARSE, Permanent),
        (Kind::Parse, "Cannot convert to map.", Class::PARSE, Permanent),
        (Kind::Parse, "Could not convert to string.", Class::PARSE, Permanent),
        (Kind::Unknown, "Could not convert to map.", Class::PARSE, Permanent),
        (Kind::NotFound, "Cannot convert nil to number.", Class::PARSE, Permanent),
        (Kind::Unknown, "Expected OK, found Queued.", Class::PARSE, Permanent),
        (Kind::InvalidArgument, "At least one key is required.", Class::INVALID_ARGUMENT, Permanent),
        (Kind::InvalidCommand, "Empty transaction.", Class::INVALID_ARGUMENT, Permanent),
        (Kind::Url, "EmptyHost", Class::OTHER, Permanent),
    ]);
}

#[test]
#[rustfmt::skip]
fn only_a_whole_first_word_counts() {
    check(&[
        (Kind::Unknown, "BUSYGROUP Consumer Group name already exists", Class::BUSY_GROUP, Permanent),
        (Kind::Unknown, "BUSYKEY Target key name already exists.", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "NOTBUSY No scripts in execution right now.", Class::OTHER, Unknown),
        (Kind::Unknown, "OOMPH of my own", Class::OTHER, Unknown),
        (Kind::Unknown, "ERROR of my own", Class::OTHER, Unknown),
        (Kind::Unknown, "busy Redis is busy running a script.", Class::OTHER, Unknown),
        (Kind::Unknown, "the server said BUSY", Class::OTHER, Unknown),
        (Kind::Unknown, "ERR BUSY is not a command", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "ERR max number of databases reached", Class::SERVER_ERROR, Permanent),
        (Kind::Unknown, "-LOADING", Class::OTHER, Unknown),
        (Kind::Unknown, "LOADING", Class::LOADING, Unknown),
        (Kind::Unknown, "  OOM", Class::OOM, NotExecuted),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_text_that_is_not_known_is_unknown() {
    check(&[
        (Kind::Unknown, "", Class::OTHER, Unknown),
        (Kind::Unknown, "No response!", Class::OTHER, Unknown),
        (Kind::Unknown, "MYCODE from a script or module", Class::OTHER, Unknown),
        (Kind::Unknown, "IOERR error or timeout reading to target instance", Class::OTHER, Unknown),
        (Kind::Canceled, "Max reconnection attempts reached.", Class::CANCELED, Unknown),
        (Kind::Cluster, "Failed to find cluster hash slot owner.", Class::CLUSTER_DOWN, Unknown),
        (Kind::Routing, "Failed to find replica node.", Class::ROUTING, Unknown),
        (Kind::Auth, "Something about credentials", Class::AUTH, Unknown),
    ]);
}

/// The kind says that the connection failed, so a text that looks like a refusal proves nothing.
#[test]
fn a_transport_error_stays_one_whatever_its_text() {
    check(&[
        (Kind::IO, "BUSY", Class::CONNECTION, Unknown),
        (Kind::Timeout, "OOM", Class::TIMEOUT, Unknown),
        (Kind::Protocol, "Canceled.", Class::PROTOCOL, Unknown),
    ]);
}

#[test]
fn a_time_limit_becomes_a_timeout_that_names_it() {
    let limit = Aborted::AttemptTimeout(Duration::from_millis(250));
    let error = Error::from(limit);
    assert_eq!(error.kind(), &Kind::Timeout);
    assert_eq!(error.details(), limit.to_string());
    assert_eq!((Class::of(&error), error.disposition()), (Class::TIMEOUT, Unknown));
}

#[test]
fn classes_combine_as_sets() {
    const BOTH: Class = Class::OOM.union(Class::BUSY);
    assert_eq!(Class::OOM | Class::BUSY, BOTH);
    assert!(BOTH.contains(Class::OOM) && BOTH.contains(Class::NONE) && Class::ANY.contains(BOTH));
    assert!(!Class::OOM.contains(BOTH) && !Class::NONE.contains(Class::OTHER));
    assert_eq!(Class::ANY | BOTH, Class::ANY);

    let error = Error::new(Kind::Unknown, "OOM");
    assert!(Class::OOM.matches(&error) && BOTH.matches(&error) && Class::ANY.matches(&error));
    assert!(!Class::BUSY.matches(&error) && !Class::NONE.matches(&error));
}

#[test]
fn classes_print_their_names() {
    assert_eq!(format!("{:?}", Class::WRONG_TYPE), "WRONG_TYPE");
    assert_eq!(
        format!("{:?}", Class::LOADING | Class::CONNECTION | Class::OTHER),
        "CONNECTION | LOADING | OTHER"
    );
    assert_eq!(format!("{:?} {:?}", Class::NONE, Class::ANY), "NONE ANY");
}

#[test]
fn classes_go_between_threads() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<Class>();
}
