//! The soak for a few seconds: its faults, its oracle and its report work, and no acknowledged write is lost.
#![allow(missing_docs)]

use std::process::Command;

#[test]
fn a_short_soak_loses_nothing() {
    let run = Command::new(env!("CARGO_BIN_EXE_soak")).args(["0.05", "single", "1"]).output();
    let run = run.expect("the program was built with the tests");
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(matches!(run.status.code(), Some(0 | 1)), "{report}{run:?}");
    for finding in ["lost: 0", "torn transactions and lost updates: 0", "wrong answers: 0"] {
        assert!(report.lines().any(|line| line == finding), "{finding}\n{report}");
    }
}
