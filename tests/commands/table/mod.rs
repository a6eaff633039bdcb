//! The table of commands, held against fred's source and against a live server.

mod cases;
mod draw;
mod properties;
mod replays;
mod source;

use std::collections::HashSet;

use retry_runtime::fred::COMMANDS;
use retry_tests::RedisServer;

/// Reads that the server flags as such, and that we trust less, with the reason.
const LESS_THAN_READ: &[(&str, &str)] = &[("PFCOUNT", "keeps what it counted in the key")];

/// Interfaces of which the server flags nothing, because they are not about data.
const ABOUT_THE_SERVER: [&str; 11] = [
    "AclInterface",
    "ClientInterface",
    "ClientLike",
    "ClusterInterface",
    "ConfigInterface",
    "FunctionInterface",
    "LuaInterface",
    "MemoryInterface",
    "PubsubInterface",
    "ServerInterface",
    "SlowlogInterface",
];

/// Returns what the server says about a command, or nothing if it does not know it.
fn info(server: &RedisServer, command: &str) -> Option<String> {
    // The parts of a command such as `XGROUP CREATE` have flags of their own.
    let name = command.to_lowercase().replace(' ', "|");
    let info = server.command(&["COMMAND", "INFO", &name]);
    let is_known = info.starts_with("*1\r\n*") && !info.starts_with("*1\r\n*-1");
    is_known.then_some(info)
}

/// Nothing that the server flags as a write is classed as a read, and hardly any read as something else.
#[test]
fn what_is_a_read_for_the_server_is_one_here() {
    let server = RedisServer::start(&[]);
    let (mut checked, mut parts, mut less) = (0, 0, HashSet::new());
    for line in COMMANDS.iter().copied().flatten() {
        let Some(info) = info(&server, line.command) else { continue };
        checked += 1;
        parts += u32::from(line.command.contains(' '));
        if line.replay == "Read" {
            assert!(!info.contains("+write\r"), "{} is a write: {info}", line.command);
        } else if info.contains("+readonly\r") {
            less.insert(line.command);
        }
    }
    assert!(checked > 250 && parts > 60, "{checked} commands checked, {parts} of them parts");
    assert_eq!(less, LESS_THAN_READ.iter().map(|(command, _)| *command).collect());
}

/// For a read of data the server vouches.
#[test]
fn reads_that_the_server_does_not_flag_are_not_about_data() {
    let server = RedisServer::start(&[]);
    let unflagged = COMMANDS.iter().copied().flatten().filter(|line| line.replay == "Read");
    let unflagged = unflagged.filter(|line| {
        info(&server, line.command).is_some_and(|info| !info.contains("+readonly\r"))
    });
    let data = unflagged.filter(|line| !ABOUT_THE_SERVER.contains(&line.interface));
    assert_eq!(data.map(|line| line.command).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_line_of_the_table_is_there_once() {
    let lines = COMMANDS.iter().copied().flatten();
    let mut names = HashSet::new();
    for line in lines {
        assert!(names.insert((line.interface, line.method)), "{line:?} twice");
        assert!(!line.signature.is_empty() && !line.command.is_empty());
    }
    assert!(names.len() > 150, "{}", names.len());
}
