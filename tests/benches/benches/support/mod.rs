//! Times forms with criterion.

use std::time::{Duration, Instant};

use criterion::Criterion;
use retry_benches::{
    form::{FAILURES, Form, Pace, runtime},
    run::Sets,
};

/// Times every form of `sets`.
pub fn time(sets: &Sets) {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .without_plots()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700));
    for form in &sets.first {
        time_form(&mut criterion, "first", form, 0);
    }
    for failures in FAILURES {
        for form in &sets.failing {
            time_form(&mut criterion, &format!("failing {failures}"), form, failures);
        }
    }
    criterion.final_summary();
}

fn time_form(criterion: &mut Criterion, group: &str, form: &Form, failures: u32) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group(group);
    if form.pace == Pace::Timer {
        group.sample_size(10);
    }
    group.bench_function(form.name, |bencher| {
        bencher.iter_custom(|calls| {
            let start = Instant::now();
            (form.run)(&runtime, calls, failures);
            start.elapsed()
        });
    });
    group.finish();
}
