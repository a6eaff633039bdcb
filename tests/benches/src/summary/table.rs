use std::{fmt::Write, fs, path::Path};

use serde_json::Value;

use crate::report::read;

const BEGIN: &str = "<!-- written by ./x bench summary -->\n";
const END: &str = "<!-- end -->\n";

/// Puts the table between its marks in the overview of the results, and its first row into the README.
///
/// # Errors
///
/// Says what is missing: results that were not measured, or the marks.
pub fn write() -> Result<(), String> {
    replace("results/README.md", &table()?)?;
    replace("../../README.md", &sentence()?)
}

/// Replaces what stands between the marks of a file, whose path begins at this package.
fn replace(file: &str, content: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    let (head, rest) = text.split_once(BEGIN).ok_or(format!("{file} has no mark to begin at"))?;
    let (_, tail) = rest.split_once(END).ok_or(format!("{file} has no mark to end at"))?;
    let text = format!("{head}{BEGIN}{content}{END}{tail}");
    fs::write(&path, text).map_err(|error| format!("{file}: {error}"))
}

/// Returns the first row as a sentence.
fn sentence() -> Result<String, String> {
    let row = &ROWS[0];
    let rows = &read(row.topic)?["tables"][row.table]["rows"];
    let number = |form| number(rows, form, row.column).ok_or(format!("{form} was not measured"));
    let (ours, by_hand, backon) =
        (number(row.ours)?, number("hand-written loop")?, number(row.backon)?);
    Ok(format!(
        "A call that succeeds at its first attempt takes {ours} instructions under `#[retryable]`, {by_hand} in a \
         hand-written loop and {backon} with backon-macros.\n"
    ))
}

/// A row of the table: where its numbers are, and of which forms.
struct Row {
    what: &'static str,
    topic: &'static str,
    table: usize,
    column: usize,
    ours: &'static str,
    by_hand: Option<&'static str>,
    backon: &'static str,
    /// Among whom the best is looked for.
    peers: &'static [&'static str],
}

const PEERS: &[&str] = &[
    "again",
    "backoff",
    "backon",
    "backon-macros",
    "execution-policy",
    "mulligan",
    "retry-if",
    "tokio-retry",
    "tokio-retry2",
    "tower",
    "tryhard",
];
const CONSTANT: &str = "#[retryable] constant";
const LOOP: Option<&str> = Some("hand-written loop");

const ROWS: [Row; 7] = [
    Row {
        what: "success at the first attempt, instructions",
        topic: "instructions",
        table: 0,
        column: 1,
        ours: CONSTANT,
        by_hand: LOOP,
        backon: "backon-macros",
        peers: PEERS,
    },
    Row {
        what: "success at the first attempt, ns",
        topic: "times",
        table: 0,
        column: 1,
        ours: CONSTANT,
        by_hand: LOOP,
        backon: "backon-macros",
        peers: PEERS,
    },
    Row {
        what: "three failures without delay, instructions (ours lets other tasks run in between)",
        topic: "instructions",
        table: 1,
        column: 2,
        ours: CONSTANT,
        by_hand: LOOP,
        backon: "backon-macros, sleeper is ready",
        peers: &["backon, sleeper is ready", "execution-policy", "tower, wait is ready"],
    },
    Row {
        what: "future around an operation of 1 KiB, bytes",
        topic: "memory",
        table: 0,
        column: 2,
        ours: CONSTANT,
        by_hand: LOOP,
        backon: "backon-macros",
        peers: &[
            "again",
            "backoff",
            "backon",
            "execution-policy",
            "mulligan",
            "retry-if",
            "tokio-retry",
            "tokio-retry2",
            "tower, wait is a sleep",
            "tryhard",
        ],
    },
    Row {
        what: "one of a million calls that wait, bytes",
        topic: "waiting",
        table: 0,
        column: 3,
        ours: CONSTANT,
        by_hand: LOOP,
        backon: "backon-macros",
        peers: &[],
    },
    Row {
        what: "cold build as a dependency, processor seconds",
        topic: "builds",
        table: 0,
        column: 1,
        ours: "retry-runtime",
        by_hand: None,
        backon: "backon + backon-macros",
        peers: &["tokio-retry2 with jitter", "retry-if"],
    },
    Row {
        what: "check of 1,000 functions, processor seconds",
        topic: "builds",
        table: 1,
        column: 1,
        ours: "#[retryable]",
        by_hand: Some("hand-written loops"),
        backon: "",
        peers: &["#[tracing::instrument]"],
    },
];

fn table() -> Result<String, String> {
    let mut text = String::from(
        "| less is better | `#[retryable]` | hand-written loop | backon-macros | best of the others |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
    );
    for row in &ROWS {
        let kept = read(row.topic)?;
        let rows = &kept["tables"][row.table]["rows"];
        let number = |form: &str| number(rows, form, row.column);
        let shown =
            |form: &str| number(form).map_or_else(|| "-".to_owned(), |number| number.to_string());
        let peers = row.peers.iter().filter_map(|peer| Some((peer, number(peer)?)));
        let best = peers.min_by(|(_, left), (_, right)| left.total_cmp(right));
        let best = best.map_or_else(
            || "-".to_owned(),
            |(peer, number)| {
                let peer = peer.split(',').next().unwrap_or(peer);
                format!("{number} ({peer})")
            },
        );
        let cells = [
            shown(row.ours),
            row.by_hand.map_or_else(|| "-".to_owned(), shown),
            shown(row.backon),
            best,
        ];
        let _ = writeln!(text, "| {} | {} |", row.what, cells.join(" | "));
    }
    Ok(text)
}

fn number(rows: &Value, form: &str, column: usize) -> Option<f64> {
    rows.as_array()?.iter().find(|row| row[0] == form)?[column].as_f64()
}
