//! Counts the instructions of every form under callgrind.

use std::process::Command;

use retry_benches::{
    callgrind::{per_call, sibling},
    form::FAILURES,
    hand,
    measured::Measured,
    report::{Report, Table},
};

/// A form that a program offers.
struct Entry {
    program: &'static str,
    set: String,
    on_timer: bool,
    name: String,
}

fn main() {
    let entries: Vec<_> = ["calls", "calls-tryhard"].into_iter().flat_map(list).collect();
    let mut report = Report::new("instructions", "Instructions per call");
    report.note("Counted by callgrind: 11,000 calls minus 1,000 calls; the loop that makes the calls is included.");
    report.note("Policies are made within the call only where the interface of a crate forces it: backon, backon-macros, tokio-retry, tokio-retry2, backoff, mulligan, tryhard and `policy.retry(…)`.");
    first(&mut report, &entries);
    failing(&mut report, &entries);
    report.finish();
}

fn list(program: &'static str) -> Vec<Entry> {
    let output = Command::new(sibling(program)).arg("list").output().expect("it was built before");
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let entry = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        let (set, pace, name) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Entry { program, set, on_timer: pace == "timer", name })
    };
    listed.lines().filter_map(entry).collect()
}

fn first(report: &mut Report, entries: &[Entry]) {
    let mut counted = Measured::default();
    for form in entries.iter().filter(|entry| entry.set == "first") {
        counted.push(&form.name, per_call(&sibling(form.program), "first", &form.name, 10_000, 0));
    }
    let floor = counted.of(hand::LOOP);
    let columns = ["form", "instructions", "x hand-written loop"];
    let mut table = Table::new("First attempt succeeds", &columns);
    for (form, count) in counted.iter() {
        table.row([form.to_owned(), format!("{count:.0}"), format!("{:.2}", count / floor)]);
    }
    report.table(table);

    let constant = counted.of("#[retryable] constant");
    report.bar("constant, against 1.05 x the hand-written loop", constant, 1.05 * floor);
    let claim = "constant, against 1.05 x the hand-written loop around a block";
    report.bar(claim, constant, 1.05 * counted.of(hand::LOOP_BLOCK));
    report.bar("constant, against half of the best peer", constant, counted.best_peer() / 2.0);
    for form in ["#[retryable] exponential", "#[retryable] composite of two"] {
        let claim = format!("{form}, against constant + 10");
        report.bar(claim, counted.of(form), constant + 10.0);
    }
    let deadline = counted.of("#[retryable] deadline");
    for form in [hand::LOOP_CLOCK, hand::LOOP_DEADLINE] {
        report.bar(format!("deadline, against the {form}"), deadline, counted.of(form));
    }
}

fn failing(report: &mut Report, entries: &[Entry]) {
    let columns = ["form", "1 failure", "3 failures", "10 failures"];
    let mut table = Table::new("Failures, zero delay, then success", &columns);
    let mut counted: [Measured; 3] = Default::default();
    for form in entries.iter().filter(|entry| entry.set == "failing") {
        // A millisecond per retry is enough of waiting for a hundred calls.
        let calls = if form.on_timer { 100 } else { 10_000 };
        let timer = if form.on_timer { " (timer)" } else { "" };
        let mut row = vec![format!("{}{timer}", form.name)];
        for (failures, counted) in FAILURES.into_iter().zip(&mut counted) {
            let count = per_call(&sibling(form.program), "failing", &form.name, calls, failures);
            row.push(format!("{count:.0}"));
            counted.push(&form.name, count);
        }
        table.row(row);
    }
    report.table(table);
    for (failures, counted) in FAILURES.iter().zip(&counted) {
        let constant = counted.of("#[retryable] constant");
        let claim = |other| format!("constant, {failures} failures, against {other}");
        let limit = 1.1 * counted.of(hand::LOOP);
        report.bar(claim("1.1 x the hand-written loop"), constant, limit);
        report.bar(claim("the best peer"), constant, counted.best_peer());
        let yielding = counted.of("backon, sleeper yields");
        report.bar(claim("the best peer that yields"), constant, yielding);
    }
}
