//! Counts the instructions of every form under callgrind.

use std::process::Command;

use retry_benches::{
    callgrind::{per_call, sibling},
    hand,
    report::{Report, Table},
};

/// A form that a program offers.
struct Entry {
    program: &'static str,
    set: String,
    on_timer: bool,
    name: String,
}

/// What was counted: the name of the form, and its instructions.
type Counted = Vec<(String, f64)>;

const FAILURES: [u32; 3] = [1, 3, 10];

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

fn is_own(name: &str) -> bool {
    name.starts_with('#')
        || name.starts_with("policy.")
        || name.starts_with("hand-")
        || name == "bare call"
}

fn of(counted: &Counted, name: &str) -> f64 {
    let found = counted.iter().find(|(form, _)| form == name);
    found.unwrap_or_else(|| panic!("{name} was not counted")).1
}

fn best_peer(counted: &Counted) -> f64 {
    let peers = counted.iter().filter(|(name, _)| !is_own(name));
    peers.map(|(_, count)| *count).fold(f64::INFINITY, f64::min)
}

fn first(report: &mut Report, entries: &[Entry]) {
    let forms = entries.iter().filter(|entry| entry.set == "first");
    let counted: Counted = forms
        .map(|form| {
            (form.name.clone(), per_call(&sibling(form.program), "first", &form.name, 10_000, 0))
        })
        .collect();
    let floor = of(&counted, hand::LOOP);
    let columns = ["success at the first attempt", "instructions", "x hand-written loop"];
    let mut table = Table::new("First attempt succeeds", &columns);
    for (name, count) in &counted {
        table.row([name.clone(), format!("{count:.0}"), format!("{:.2}", count / floor)]);
    }
    report.table(table);

    let constant = of(&counted, "#[retryable] constant");
    report.bar("constant, against the hand-written loop", constant, 1.05 * floor);
    report.bar("constant, against half of the best peer", constant, best_peer(&counted) / 2.0);
    for form in ["#[retryable] exponential", "#[retryable] composite of two"] {
        let claim = format!("{form}, against constant + 10");
        report.bar(claim, of(&counted, form), constant + 10.0);
    }
    let deadline = of(&counted, "#[retryable] deadline");
    report.bar(
        "deadline, against the loop with one clock read",
        deadline,
        of(&counted, hand::LOOP_CLOCK),
    );
    report.bar(
        "deadline, against the loop whose deadline cuts",
        deadline,
        of(&counted, hand::LOOP_DEADLINE),
    );
}

fn failing(report: &mut Report, entries: &[Entry]) {
    let mut columns = vec!["failures before the success".to_owned()];
    columns.extend(FAILURES.map(|failures| failures.to_string()));
    let columns: Vec<_> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new("Failures, zero delay, then success", &columns);
    let mut counted: [Counted; 3] = Default::default();
    for form in entries.iter().filter(|entry| entry.set == "failing") {
        // A millisecond per retry is enough of waiting for a hundred calls.
        let calls = if form.on_timer { 100 } else { 10_000 };
        let name = if form.on_timer { format!("{} (timer)", form.name) } else { form.name.clone() };
        let mut row = vec![name];
        for (failures, counted) in FAILURES.into_iter().zip(&mut counted) {
            let count = per_call(&sibling(form.program), "failing", &form.name, calls, failures);
            row.push(format!("{count:.0}"));
            counted.push((form.name.clone(), count));
        }
        table.row(row);
    }
    report.table(table);
    for (failures, counted) in FAILURES.iter().zip(&counted) {
        let constant = of(counted, "#[retryable] constant");
        let claim = |other| format!("constant, {failures} failures, against {other}");
        report.bar(claim("1.1 x the hand-written loop"), constant, 1.1 * of(counted, hand::LOOP));
        report.bar(claim("the best peer"), constant, best_peer(counted));
    }
}
