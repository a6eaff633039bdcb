//! Tables, and the bars that they are held against: printed, and kept as Markdown and JSON.

use std::{fmt::Write, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::machine;

/// The results of one topic.
#[derive(Debug)]
pub struct Report {
    topic: &'static str,
    title: &'static str,
    notes: Vec<&'static str>,
    tables: Vec<Table>,
    bars: Vec<Bar>,
}

/// Rows of cells under columns.
#[derive(Debug)]
pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// What a measurement should not exceed.
#[derive(Debug)]
struct Bar {
    claim: String,
    measured: f64,
    limit: f64,
}

impl Report {
    /// Starts a report, which is kept under the name of its topic.
    pub fn new(topic: &'static str, title: &'static str) -> Self {
        Self { topic, title, notes: Vec::new(), tables: Vec::new(), bars: Vec::new() }
    }

    /// Adds a sentence on how to read the tables.
    pub fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Holds a measurement against the most that it may be.
    pub fn bar(&mut self, claim: impl Into<String>, measured: f64, limit: f64) {
        self.bars.push(Bar { claim: claim.into(), measured, limit });
    }

    /// Prints the report and writes it into `results`.
    ///
    /// # Panics
    ///
    /// If the directory cannot be written.
    pub fn finish(&self) {
        let markdown = self.markdown();
        println!("{markdown}");
        let write = |extension: &str, text: String| {
            let path = results().join(self.topic).with_extension(extension);
            fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        };
        write("md", markdown);
        let json = serde_json::to_string_pretty(&self.json()).expect("the report is plain data");
        write("json", json + "\n");
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n", self.title, machine::describe());
        for note in &self.notes {
            text.push_str(note);
            text.push('\n');
        }
        for table in &self.tables {
            let _ = write!(text, "\n## {}\n\n{}", table.title, table.markdown());
        }
        if !self.bars.is_empty() {
            text.push_str(
                "\n## Bars\n\n| bar | measured | at most | |\n| --- | ---: | ---: | --- |\n",
            );
        }
        for bar in &self.bars {
            let verdict = if bar.passes() { "pass" } else { "**miss**" };
            let Bar { claim, measured, limit } = bar;
            let _ = writeln!(text, "| {claim} | {measured:.2} | {limit:.2} | {verdict} |");
        }
        text
    }

    fn json(&self) -> Value {
        let bars = self.bars.iter().map(|bar| {
            json!({ "bar": bar.claim, "measured": bar.measured, "at_most": bar.limit, "pass": bar.passes() })
        });
        json!({
            "topic": self.topic,
            "machine": machine::json(),
            "tables": self.tables.iter().map(Table::json).collect::<Vec<_>>(),
            "bars": bars.collect::<Vec<_>>(),
        })
    }
}

impl Bar {
    fn passes(&self) -> bool {
        self.measured <= self.limit
    }
}

impl Table {
    /// Makes a table without rows.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(ToString::to_string).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row: its name and its numbers, as they are to be printed.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule: Vec<_> = (0..self.columns.len())
            .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
            .collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.columns) + &line(&rule) + &rows
    }

    fn json(&self) -> Value {
        let cell = |cell: &String| cell.parse::<f64>().map_or_else(|_| json!(cell), |n| json!(n));
        let row = |row: &Vec<String>| row.iter().map(cell).collect::<Vec<_>>();
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        json!({ "title": self.title, "columns": self.columns, "rows": rows })
    }
}

/// Returns the directory of the results.
pub fn results() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results"))
}

/// Reads results that were written before.
///
/// # Errors
///
/// Says what to run if there are none.
pub fn read(topic: &str) -> Result<Value, String> {
    let path = results().join(topic).with_extension("json");
    let text = fs::read_to_string(&path).map_err(|error| {
        format!("{}: {error}; `./x bench {topic}` measures them", path.display())
    })?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
