//! Where something was measured.

use std::{fs, process::Command, thread};

use serde_json::{Value, json};

/// Describes the machine in one sentence.
pub fn describe() -> String {
    format!("{}, {} cores, {}, {}.", cpu(), cores(), rustc(), date())
}

/// Describes the machine field by field.
pub fn json() -> Value {
    json!({ "cpu": cpu(), "cores": cores(), "rustc": rustc(), "date": date() })
}

/// Returns what the compiler calls itself.
pub fn rustc() -> String {
    output("rustc", &["--version"])
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

fn date() -> String {
    output("date", &["-u", "+%Y-%m-%d"])
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| format!("unknown {program}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
