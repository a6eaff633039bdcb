//! The soak for a few seconds: its faults, its oracle and its report work, and what the client told is true.
//!
//! How soon all tasks succeed again is left to the long runs: other tests share the cores with this one.

use std::process::Command;

#[test]
fn a_short_soak_finds_nothing_doubled_lost_or_wrong() {
    let run = Command::new(env!("CARGO_BIN_EXE_soak")).args(["0.05", "single", "1"]).output();
    let run = run.expect("the program was built with the tests");
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(matches!(run.status.code(), Some(0 | 1)), "{report}{run:?}");
    for finding in [
        "duplicated without consent: 0",
        "lost: 0",
        "ghosts: 0",
        "torn transactions and lost updates: 0",
        "wrong answers: 0",
    ] {
        assert!(report.lines().any(|line| line == finding), "{finding}\n{report}");
    }
}
