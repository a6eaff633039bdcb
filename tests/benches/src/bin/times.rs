//! Makes a table of what criterion measured.

use std::{env, fs, path::Path};

use retry_benches::{
    form::FAILURES,
    hand,
    measured::Measured,
    report::{Report, Table},
};
use serde_json::Value;

fn main() {
    let home = env::var("CRITERION_HOME")
        .expect("`./x bench times` says where criterion keeps its results");
    let mut report = Report::new("times", "Nanoseconds per call");
    report.note("Medians of criterion, one current-thread runtime, real clock; below ten nanoseconds the order is one of stalls and not of work, so compare instructions there.");
    let first = [("ns", measured(&home, "first"))];
    report.table(table("First attempt succeeds", &first));
    let constant = first[0].1.of("#[retryable] constant");
    report.bar(
        "constant, against 1.05 x the hand-written loop",
        constant,
        1.05 * first[0].1.of(hand::LOOP),
    );
    report.bar("constant, against half of the best peer", constant, first[0].1.best_peer() / 2.0);
    let failing = FAILURES.map(|failures| measured(&home, &format!("failing {failures}")));
    let [one, three, ten] = failing;
    let columns = [("1 failure", one), ("3 failures", three), ("10 failures", ten)];
    report.table(table("Failures, zero delay, then success", &columns));
    for (failures, measured) in &columns {
        let constant = measured.of("#[retryable] constant");
        let limit = 1.1 * measured.of(hand::LOOP);
        report.bar(
            format!("constant, {failures}, against 1.1 x the hand-written loop"),
            constant,
            limit,
        );
    }
    report.finish();
}

/// Reads the medians of a group.
fn measured(home: &str, group: &str) -> Measured {
    let directory = Path::new(home).join(group);
    let entries =
        fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut medians: Vec<(String, f64)> = entries
        .flatten()
        .filter_map(|entry| {
            let new = entry.path().join("new");
            let name = json(&new.join("benchmark.json"))?["function_id"].as_str()?.to_owned();
            let median = json(&new.join("estimates.json"))?["median"]["point_estimate"].as_f64()?;
            Some((name, median))
        })
        .collect();
    medians.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    let mut measured = Measured::default();
    for (name, median) in medians {
        measured.push(name, median);
    }
    measured
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn table(title: &str, columns: &[(&str, Measured)]) -> Table {
    let mut names = vec!["form"];
    names.extend(columns.iter().map(|(name, _)| *name));
    let mut table = Table::new(title, &names);
    for (form, _) in columns[0].1.iter() {
        let numbers = columns.iter().map(|(_, measured)| format!("{:.1}", measured.of(form)));
        table.row([form.to_owned()].into_iter().chain(numbers));
    }
    table
}
