//! Measures what compiling costs.

use retry_benches::{
    builds::{
        functions::Style,
        project::{Cost, Project, runtime_dependency},
    },
    report::{Report, Table},
};

fn main() {
    let mut report = Report::new("builds", "Compile time");
    report.note("Medians of three, two jobs, not incremental; processor seconds are those of cargo and all compilers, and the honest figure on a shared machine.");
    dependencies(&mut report);
    functions(&mut report);
    report.finish();
}

fn dependencies(report: &mut Report) {
    let candidates = [
        ("retry-runtime", runtime_dependency("")),
        ("backon + backon-macros", "backon = \"1.6\"\nbackon-macros = \"1.0\"".to_owned()),
        (
            "tokio-retry2 with jitter",
            "tokio-retry2 = { version = \"0.9\", features = [\"jitter\"] }".to_owned(),
        ),
        ("retry-if", "retry-if = \"0.3\"".to_owned()),
        ("retry-runtime with fred", runtime_dependency("\"i-std\"")),
        (
            "fred alone",
            "fred = { version = \"10.1\", default-features = false, features = [\"i-std\"] }"
                .to_owned(),
        ),
    ];
    let title = "Cold build (dev) of a crate that only depends on this";
    let mut table = Table::new(title, &["dependency", "processor s", "elapsed s"]);
    let mut processor = Vec::new();
    for (name, lines) in candidates {
        let Cost { elapsed, processor: seconds } =
            Project::new("cold", &lines, "", None).cold("build");
        table.row([name.to_owned(), format!("{seconds:.1}"), format!("{elapsed:.1}")]);
        processor.push(seconds);
    }
    report.table(table);
    report.bar(
        "cold build without fred, against backon + backon-macros",
        processor[0],
        processor[1],
    );
}

fn functions(report: &mut Report) {
    let columns = ["a thousand", "check, processor s", "check, elapsed s", "program, KiB"];
    let mut table = Table::new("A crate of 1,000 functions", &columns);
    let mut checks = Vec::new();
    for style in Style::ALL {
        let project =
            Project::new("many", &style.dependencies(), &style.lib(), Some(Style::main()));
        let Cost { elapsed, processor } = project.warm("check --lib");
        let size = project.program_size() / 1024;
        table.row([
            style.name().to_owned(),
            format!("{processor:.2}"),
            format!("{elapsed:.2}"),
            size.to_string(),
        ]);
        checks.push((style, processor));
    }
    report.table(table);
    let of = |wanted| {
        checks.iter().find(|(style, _)| *style == wanted).map_or(f64::NAN, |(_, cost)| *cost)
    };
    let ours = of(Style::Retryable);
    report.bar(
        "check of 1,000, against 1.3 x hand-written loops",
        ours,
        1.3 * of(Style::HandWritten),
    );
    report.bar("check of 1,000, against #[tracing::instrument]", ours, of(Style::Instrument));
}
