//! Prints what a run showed.

use std::{fmt::Write as _, time::Duration};

use crate::{
    kind::KINDS,
    ledger::Told,
    load::Recovery,
    oracle::Findings,
    run::{Case, OfKind, Outcome, Plan, Usage},
};

/// How long after a fault every task has to succeed again, in milliseconds.
const BOUND: u32 = 2_000;

/// How many examples of a finding are printed.
const EXAMPLES: usize = 4;

/// Prints a run, and returns whether it showed nothing that must not be.
pub fn report(plan: &Plan, outcome: &Outcome) -> bool {
    println!("\n== {} for {:.1?}, seed {}", plan.topology.name(), outcome.took, plan.seed);
    println!("{}", calls(outcome));
    println!("{}", faults(outcome));
    println!("{}", usage(outcome));
    let verdict = &outcome.verdict;
    println!(
        "effects {}, executed {}, doubled with consent {}, lost with a primary {}, \
         untaken from queues {} of {} pops in doubt\n\
         late after an error {} (at most {} ms), late after the caller left {}, own older value came back {}",
        verdict.effects,
        verdict.executed,
        verdict.doubled_with_consent,
        verdict.lost_with_primary,
        verdict.untaken,
        verdict.doubtful_pops,
        verdict.late,
        verdict.latest,
        verdict.late_dropped,
        outcome.ledger.olders(),
    );
    let wrong = outcome.ledger.wrongs();
    let wrong =
        if wrong.is_empty() { Findings::new() } else { [("answers".to_owned(), wrong)].into() };
    let findings = [
        ("duplicated without consent", &verdict.doubled),
        ("lost", &verdict.lost),
        ("ghosts", &verdict.ghosts),
        ("torn transactions and lost updates", &verdict.torn),
        ("wrong answers", &wrong),
        ("recoveries over the bound", &slow(outcome)),
    ];
    let mut clean = true;
    for (name, found) in findings {
        let number = found.values().map(Vec::len).sum::<usize>();
        println!("{name}: {number}");
        clean &= number == 0;
        for (kind, lines) in found {
            let some = lines.iter().take(EXAMPLES).map(String::as_str).collect::<Vec<_>>();
            println!("    {kind}: {}, such as {}", lines.len(), some.join("; "));
        }
    }
    let broken = [outcome.broken_tasks, verdict.pending, outcome.unrestored];
    println!(
        "tasks that broke {}, calls without end {}, servers not whole {}",
        broken[0], broken[1], broken[2]
    );
    clean && broken == [0; 3]
}

fn calls(outcome: &Outcome) -> String {
    let mut text = format!(
        "{:<24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}\n",
        "calls", "all", "done", "unknown", "not exec", "perman.", "alone", "dropped", "longest"
    );
    let all =
        [Told::Done, Told::Unknown, Told::NotExecuted, Told::Permanent, Told::Alone, Told::Dropped];
    let mut sums = [0; 6];
    let mut longest = Duration::ZERO;
    let mut line = |name: &str, told: [u64; 6], longest: Duration| {
        let _ = write!(text, "{name:<24}{:>9}", told.iter().sum::<u64>());
        told.iter().for_each(|number| _ = write!(text, "{number:>9}"));
        let _ = writeln!(text, "{:>7} ms", longest.as_millis());
    };
    for (kind, calls) in outcome.ledger.calls() {
        let told = all.map(|told| calls.told.get(&told).copied().unwrap_or(0));
        sums.iter_mut().zip(told).for_each(|(sum, number)| *sum += number);
        longest = longest.max(calls.longest);
        line(KINDS[usize::from(kind)].name(), told, calls.longest);
    }
    line("together", sums, longest);
    text
}

fn faults(outcome: &Outcome) -> String {
    let mut text = format!(
        "{:<20}{:>6}{:>9}{:>12}{:>12}{:>14}  first error / last error\n",
        "faults", "number", "errors", "recovery", "longest", "last error"
    );
    for (fault, of_kind) in &outcome.kinds {
        let median = match median(of_kind) {
            Some(milliseconds) => format!("{milliseconds} ms"),
            None => "never".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:<20}{:>6}{:>9}{median:>12}{:>12}{:>11} ms  {} / {}",
            fault.name(),
            of_kind.recoveries.len(),
            of_kind.errors.number,
            longest(of_kind),
            of_kind.last_error,
            of_kind.errors.first,
            of_kind.errors.last,
        );
    }
    text
}

/// Returns the middle one; a recovery that did not come is longer than all.
fn median(of_kind: &OfKind) -> Option<u32> {
    let all = of_kind.recoveries.iter().map(|case| case.recovery.map_or(u32::MAX, |all| all.took));
    let mut all = all.collect::<Vec<_>>();
    all.sort_unstable();
    all.get(all.len() / 2).copied().filter(|middle| *middle != u32::MAX)
}

fn longest(of_kind: &OfKind) -> String {
    let took = of_kind.recoveries.iter().map(|case| case.recovery.map(|all| all.took));
    let all = took.collect::<Option<Vec<_>>>();
    all.map_or_else(|| "never".to_owned(), |all| format!("{} ms", all.iter().max().unwrap_or(&0)))
}

fn usage(outcome: &Outcome) -> String {
    let (Usage { memory: begin, .. }, Usage { memory: end, .. }) = (outcome.begin, outcome.end);
    let pair = |name: &str, begin: usize, end: usize| format!("{name} {begin} -> {end}");
    format!(
        "memory {:.1} -> {:.1} MB, at most {:.1} MB, of that {:.1} MB for the records\n{}, {}, {}, connections made {}",
        megabytes(begin),
        megabytes(end),
        megabytes(outcome.highest),
        megabytes(outcome.ledger.size() as u64 / 1024),
        pair(
            "clients of the servers",
            outcome.begin.clients as usize,
            outcome.end.clients as usize
        ),
        pair("connections of the client", outcome.begin.links, outcome.end.links),
        pair("open files", outcome.begin.files, outcome.end.files),
        outcome.connections,
    )
}

fn megabytes(kilobytes: u64) -> f64 {
    f64::from(u32::try_from(kilobytes).unwrap_or(u32::MAX)) / 1024.0
}

fn slow(outcome: &Outcome) -> Findings {
    let mut slow = Findings::new();
    for (fault, of_kind) in &outcome.kinds {
        let text = |case: &Case| {
            let end = f64::from(case.end) / 1000.0;
            match case.recovery {
                Some(Recovery { took: ..=BOUND, .. }) => None,
                Some(Recovery { took, slowest }) => {
                    Some(format!("{took} ms at {end:.1} s ({slowest})"))
                }
                None => Some(format!("not in 20 s at {end:.1} s ({})", case.missing)),
            }
        };
        let lines = of_kind.recoveries.iter().filter_map(text).collect::<Vec<_>>();
        if !lines.is_empty() {
            slow.insert(fault.name(), lines);
        }
    }
    slow
}
