//! `soak [minutes] [single|pool|cluster|sentinel|name|all] [seed] [faults]`: load under random faults, judged by the servers.
//!
//! A relay makes the faults of the network, signals and commands those of the servers; 32 tasks make all kinds of
//! calls, each of whose writes has a number of its own, and in the end what the servers hold is compared with what the
//! callers were told.
//! Everything runs on loopback and ends with the program.

mod calls;
mod faults;
mod kind;
mod ledger;
mod link;
mod load;
mod oracle;
mod outages;
mod own;
mod relay;
mod report;
mod run;
mod topology;
mod units;
mod watch;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use self::{report::report, run::Plan, topology::Topology};

const USAGE: &str = "soak [minutes] [single|pool|cluster|sentinel|name|all] [seed] [faults]
    the seed repeats the order of the faults; faults are names from a report with commas between, and no others are made";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let Some(plans) = plans(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let stop = Arc::<AtomicBool>::default();
    stop_on_signals(&stop);
    let mut clean = true;
    for plan in plans {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        println!("{} for {:?}, seed {}", plan.topology.name(), plan.time, plan.seed);
        clean &= report(&plan, &run::run(&plan, &stop));
    }
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plans(arguments: &[String]) -> Option<Vec<Plan>> {
    let minutes = arguments.first().map_or("10", String::as_str).parse::<f64>().ok()?;
    let time = Duration::try_from_secs_f64(minutes * 60.0).ok()?;
    let wanted = arguments.get(1).map_or("single", String::as_str);
    let seed = match arguments.get(2) {
        Some(seed) => seed.parse().ok()?,
        None => fastrand::u64(..1_000_000),
    };
    let faults = arguments.get(3).map(|names| names.split(',').map(str::to_owned).collect());
    let faults: Vec<String> = faults.unwrap_or_default();
    let chosen = |topology: &Topology| wanted == "all" || topology.name() == wanted;
    let plans = Topology::ALL.into_iter().filter(chosen);
    let plans = plans.map(|topology| Plan { topology, time, seed, faults: faults.clone() });
    let plans = plans.filter(|plan| !plan.faults().is_empty()).collect::<Vec<_>>();
    (!plans.is_empty()).then_some(plans)
}

/// Lets the run end early, so that the servers are ended too.
fn stop_on_signals(stop: &Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let mut end = signal(SignalKind::terminate()).expect("a signal");
            let mut interrupt = signal(SignalKind::interrupt()).expect("a signal");
            tokio::select! {
                _ = end.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}
