//! The faults, and what they mean for the command.

use retry_tests::Fault;

use super::ATTEMPT;

/// What an error of the server says, by redis.io and by what fred makes of it.
const REFUSED: [&str; 11] = [
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "BUSY Redis is busy running a script",
    "MASTERDOWN Link with MASTER is down",
    "NOREPLICAS Not enough good replicas to write",
    "MISCONF Redis is configured to save RDB snapshots",
    "OOM command not allowed when used memory > 'maxmemory'",
    "NOSCRIPT No matching script",
    "EXECABORT Transaction discarded",
    "MOVED 1 127.0.0.1:1",
    "ASK 1 127.0.0.1:1",
    "ERR max number of clients reached",
];
const DOUBTFUL: [&str; 3] = [
    "CLUSTERDOWN The cluster is down",
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
];
const FINAL: [&str; 7] = [
    "NOAUTH Authentication required.",
    "WRONGTYPE Operation against a key",
    "ERR syntax error",
    "NOPERM this user has no permissions",
    "WRONGPASS invalid username-password pair",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "BUSYKEY Target key name already exists.",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The server did not execute the command, and the client can know it.
    Refused,
    /// The client cannot know.
    Unknown,
    /// The server did not execute the command and never will.
    Final,
    /// Only slow.
    Fine,
}

pub fn faults() -> Vec<(Fault, Truth)> {
    let errors = |texts: &[&str], truth| {
        texts
            .iter()
            .map(|text| (Fault::ErrorInstead((*text).to_owned()), truth))
            .collect::<Vec<_>>()
    };
    let transport = [
        (Fault::CutBefore, Truth::Unknown),
        (Fault::LoseReply, Truth::Unknown),
        (Fault::HalfReply, Truth::Unknown),
        (Fault::HoldReply, Truth::Unknown),
        (Fault::Delay(2 * ATTEMPT), Truth::Unknown),
        (Fault::Garble, Truth::Unknown),
        (Fault::Delay(ATTEMPT / 10), Truth::Fine),
    ];
    [
        transport.to_vec(),
        errors(&REFUSED, Truth::Refused),
        errors(&DOUBTFUL, Truth::Unknown),
        errors(&FINAL, Truth::Final),
    ]
    .concat()
}
