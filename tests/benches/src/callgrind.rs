//! Counts instructions: the difference of two runs, so that what happens once cancels out.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Returns the instructions of one call of a form, which a program makes that is told how often.
///
/// The program gets `set`, `form`, the number of calls and of failures as its arguments.
///
/// # Panics
///
/// If valgrind is missing, or the program fails.
pub fn per_call(program: &Path, set: &str, form: &str, calls: u64, failures: u32) -> f64 {
    let few = collected(program, set, form, calls / 10, failures);
    let many = collected(program, set, form, calls + calls / 10, failures);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let difference = (many - few) as f64 / calls as f64;
    difference
}

fn collected(program: &Path, set: &str, form: &str, calls: u64, failures: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([set, form, &calls.to_string(), &failures.to_string()])
        .stdout(Stdio::null())
        .output()
        .expect("valgrind is not on PATH: `./x bench` installs it");
    let log = String::from_utf8_lossy(&output.stderr);
    let count = log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.unwrap_or_else(|| panic!("{set} {form} failed under valgrind:\n{log}"))
}

/// Returns the path of a program that was built beside this one.
///
/// # Panics
///
/// If the system does not tell where this program is.
pub fn sibling(name: &str) -> PathBuf {
    let own = env::current_exe().expect("the system tells where a program is");
    own.with_file_name(name)
}
