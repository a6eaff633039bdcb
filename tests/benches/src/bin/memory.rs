//! Measures the sizes of futures, and counts what calls allocate.

use std::process::Command;

use retry_benches::{
    callgrind::sibling,
    counting::{CountingAllocator, allocations},
    form::{Form, Pace, runtime},
    hand,
    measured::Measured,
    report::{Report, Table},
    run::Sets,
    sizes,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() {
    let mut report = Report::new("memory", "Memory of a call");
    future_sizes(&mut report);
    heap(&mut report);
    report.finish();
}

fn future_sizes(report: &mut Report) {
    let mut table = Table::new(
        "Size of the future in bytes, by what the operation keeps across an await",
        &["form", "16 B", "1 KiB", "16 KiB"],
    );
    let mut measured: [Measured; 3] = Default::default();
    let own = sizes::all();
    let own = own.iter().map(|(form, sizes)| (form.to_string(), sizes.to_vec()));
    for (form, sizes) in own.chain(tryhard_sizes()) {
        for (measured, size) in measured.iter_mut().zip(&sizes) {
            measured.push(&form, f64::from(u32::try_from(*size).unwrap_or(u32::MAX)));
        }
        table.row([form].into_iter().chain(sizes.iter().map(ToString::to_string)));
    }
    report.table(table);
    for (measured, state) in measured.iter().zip(["16 B", "1 KiB", "16 KiB"]) {
        let constant = measured.of("#[retryable] constant");
        let claim = |other| format!("future over {state}: constant, against {other}");
        report.bar(claim("the hand-written loop + 32"), constant, measured.of(hand::LOOP) + 32.0);
        report.bar(claim("the smallest peer"), constant, measured.best_peer());
    }
}

fn tryhard_sizes() -> Vec<(String, Vec<usize>)> {
    let output = Command::new(sibling("sizes-tryhard")).output().expect("it was built before");
    let row = |line: &str| {
        let mut cells = line.split('\t');
        Some((cells.next()?.to_owned(), cells.filter_map(|cell| cell.parse().ok()).collect()))
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(row).collect()
}

fn heap(report: &mut Report) {
    let mut table = Table::new(
        "Heap allocations",
        &[
            "form",
            "per call that succeeds at once",
            "per call with one failure",
            "per further failure",
        ],
    );
    let sets = Sets::all();
    for form in &sets.first {
        let [success, ..] = counts(form, [0]);
        let failing = sets.failing.iter().find(|failing| failing.name == form.name);
        let [one, ten] = failing.map_or([f64::NAN; 2], |failing| counts(failing, [1, 11]));
        let further = (ten - one) / 10.0;
        let shown =
            |number: f64| if number.is_nan() { "-".to_owned() } else { format!("{number:.2}") };
        table.row([form.name.to_owned(), shown(success), shown(one), shown(further)]);
        let own = form.name.starts_with("#[retryable]") || form.name.starts_with("policy.");
        if own {
            report.bar(format!("allocations, success: {}", form.name), success, 0.0);
        }
        if own && !one.is_nan() {
            let allowed = if form.name.ends_with("erased") { 1.0 } else { 0.0 };
            report.bar(format!("allocations, ten failures: {}", form.name), ten, allowed);
        }
    }
    report.table(table);
}

/// Returns the allocations of one call for each number of failures.
fn counts<const N: usize>(form: &Form, failures: [u32; N]) -> [f64; N] {
    let calls: u32 = if form.pace == Pace::Timer { 20 } else { 1000 };
    let runtime = runtime();
    // What is made once per thread is made here.
    (form.run)(&runtime, 1, 1);
    let count = |calls: u32, failures| {
        let before = allocations();
        (form.run)(&runtime, u64::from(calls), failures);
        f64::from(u32::try_from(allocations() - before).unwrap_or(u32::MAX))
    };
    failures.map(|failures| (count(calls + 1, failures) - count(1, failures)) / f64::from(calls))
}
