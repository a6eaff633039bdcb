//! The table of commands, held against fred's source and against a live server.
#![allow(missing_docs)]

mod replays;
mod source;

use std::collections::HashSet;

use retry_runtime::fred::COMMANDS;
use retry_tests::RedisServer;

/// Nothing that the server flags as a write is classed as a read.
#[test]
fn no_write_is_classed_as_a_read() {
    let server = RedisServer::start(&[]);
    let mut checked = 0;
    let reads = COMMANDS.iter().copied().flatten().filter(|line| line.replay == "Read");
    for line in reads {
        let words: Vec<_> = line.command.split(' ').collect();
        let (container, info) = (words.len() > 1, server.command(&["COMMAND", "INFO", words[0]]));
        if info.starts_with("*1\r\n*-1") || info.starts_with("*1\r\n$-1") || info == "*1\r\n_\r\n" {
            continue; // Newer than this server.
        }
        checked += 1;
        assert!(container || !info.contains("+write"), "{} is a write: {info}", line.command);
    }
    assert!(checked > 50, "{checked} commands checked");
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
