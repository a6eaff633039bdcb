//! Fails if a form of ours takes more instructions than it did.
//!
//! `guard` checks, `guard --write` keeps what it counts.
//! Counts depend on the compiler: where it is not the one that the numbers were written with, the ratio to the
//! hand-written loop of the same run is compared instead. Time is not looked at, machines differ.

use std::{env, fs, process::ExitCode};

use retry_benches::{
    callgrind::{per_call, sibling},
    hand, machine,
    report::{read, results},
    run::Sets,
};
use serde_json::{Map, Value, json};

/// By how much a count may grow.
const TOLERANCE: f64 = 1.03;
const TOPIC: &str = "guard";

fn main() -> ExitCode {
    let counts = count();
    if env::args().any(|argument| argument == "--write") {
        let kept = json!({ "rustc": machine::rustc(), "instructions": counts });
        let text = serde_json::to_string_pretty(&kept).expect("numbers under names");
        fs::write(results().join(TOPIC).with_extension("json"), text + "\n")
            .expect("a checkout that can be written");
        return ExitCode::SUCCESS;
    }
    match read(TOPIC) {
        Ok(kept) => check(&counts, &kept),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts the forms that need no peer: at the first attempt, and with three failures.
fn count() -> Map<String, Value> {
    let sets = Sets::own();
    let program = sibling("calls");
    let first = sets.first.iter().map(|form| ("first", form, 0));
    let failing = sets.failing.iter().map(|form| ("failing", form, 3));
    first
        .chain(failing)
        .map(|(set, form, failures)| {
            let count = per_call(&program, set, form.name, 2_000, failures);
            (format!("{set}: {}", form.name), json!(count.round()))
        })
        .collect()
}

fn check(counts: &Map<String, Value>, kept: &Value) -> ExitCode {
    let same_compiler = kept["rustc"] == json!(machine::rustc());
    let old = kept["instructions"].as_object().cloned().unwrap_or_default();
    let unit = |counts: &Map<String, Value>, name: &str| {
        let set = name.split(": ").next().unwrap_or_default();
        let floor = counts.get(&format!("{set}: {}", hand::LOOP)).and_then(Value::as_f64);
        if same_compiler { 1.0 } else { floor.unwrap_or(1.0) }
    };
    if !same_compiler {
        println!(
            "another compiler than the numbers are of: ratios to the hand-written loop are compared"
        );
    }
    let mut grown = 0;
    for (name, count) in counts {
        let now = count.as_f64().unwrap_or(f64::INFINITY) / unit(counts, name);
        let before = old.get(name).and_then(Value::as_f64).map(|before| before / unit(&old, name));
        // Half an instruction is the rounding of the numbers that are kept.
        let rounding = 0.5 / unit(counts, name);
        let verdict = match before {
            None => "new: keep it with `./x bench guard`",
            Some(before) if now > before * TOLERANCE + rounding => "GROWN",
            Some(before) if now * TOLERANCE + rounding < before => {
                "less: keep it with `./x bench guard`"
            }
            Some(_) => "as before",
        };
        grown += u32::from(verdict == "GROWN");
        println!("{name:50} {now:8.2} {:8.2} {verdict}", before.unwrap_or(f64::NAN));
    }
    if grown > 0 {
        eprintln!("forms that take over 3 % more instructions than before: {grown}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
