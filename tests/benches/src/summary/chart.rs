use std::{fmt::Write, fs};

use serde_json::Value;

use crate::report::results;

const LEFT: f64 = 230.0;
const WIDTH: f64 = 720.0;
const ROW: f64 = 24.0;
const TOP: f64 = 44.0;

/// Forms with a time limit or a hook do more than any peer does, so they have no place beside them.
const LEFT_OUT: [&str; 7] = [
    "hand-written loop + one clock read",
    "hand-written loop, deadline aborts",
    "hand-written loop, attempt timeout",
    "#[retryable] deadline",
    "#[retryable] attempt timeout",
    "#[retryable] one hook",
    "tower with budget",
];

/// Draws the instructions of a first attempt.
///
/// # Panics
///
/// If the directory of the results cannot be written.
pub fn draw(kept: &Value) {
    let mut bars = bars(kept);
    bars.retain(|(form, _)| !LEFT_OUT.contains(&form.as_str()));
    bars.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    let path = results().join("instructions.svg");
    fs::write(&path, svg(&bars)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Returns the forms of the first table, and their instructions.
fn bars(kept: &Value) -> Vec<(String, f64)> {
    let rows = kept["tables"][0]["rows"].as_array().cloned().unwrap_or_default();
    let bar = |row: &Value| Some((row[0].as_str()?.to_owned(), row[1].as_f64()?));
    rows.iter().filter_map(bar).collect()
}

fn svg(bars: &[(String, f64)]) -> String {
    let longest = bars.iter().map(|(_, count)| *count).fold(1.0, f64::max);
    let mut top = TOP;
    let mut rows = String::new();
    for (form, count) in bars {
        let length = count / longest * (WIDTH - LEFT - 60.0);
        let class = class(form);
        let text = top + 13.0;
        let _ = writeln!(
            rows,
            "<text x=\"{x}\" y=\"{text}\" text-anchor=\"end\">{form}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{length:.1}\" height=\"17\" rx=\"2\"/>\
             <text x=\"{end:.1}\" y=\"{text}\">{count:.0}</text>",
            x = LEFT - 8.0,
            end = LEFT + length + 6.0,
        );
        top += ROW;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Instructions of a call that succeeds at the first attempt\">\n{STYLE}\
         <text class=\"title\" x=\"8\" y=\"22\">Instructions of a call that succeeds at the first attempt (less is better)</text>\n\
         {rows}</svg>\n",
        height = top + 10.0,
    )
}

fn class(form: &str) -> &'static str {
    if form.starts_with('#') || form.starts_with("policy.") {
        "own"
    } else if form.starts_with("hand-") || form == "bare call" {
        "floor"
    } else {
        "peer"
    }
}

/// Colours with enough contrast on white and on black; the text follows the reader's theme.
const STYLE: &str = "\
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 14px; }
.own { fill: #1f883d; }
.floor { fill: #8c959f; }
.peer { fill: #218bff; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
</style>
";
