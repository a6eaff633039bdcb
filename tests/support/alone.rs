use std::{env, process::Command};

const CHILD: &str = "RETRY_TESTS_ALONE";

/// Tells whether this process was started by [`run_alone`].
pub fn is_alone() -> bool {
    env::var_os(CHILD).is_some()
}

/// Runs one test of this program in a process of its own, and returns what it prints.
///
/// # Panics
///
/// If the test fails, or if there is none of this name.
pub fn run_alone(test: &str) -> String {
    let output = Command::new(env::current_exe().expect("the path of this program"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("this program starts again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains(" 1 passed;"), "{test}:\n{text}{errors}");
    text
}
