//! One run: load, faults, and what became of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::{
    calls::Replicas,
    faults::Fault,
    ledger::{Errors, Ledger},
    load::{Clients, Load, Manner, Recovery, own_clients},
    oracle::{Verdict, judge},
    outages::restore,
    topology::{Stage, Topology},
    watch::{Watch, memory, open_files},
};

/// How long the tasks may take to succeed again before the run goes on without.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long what is late may take to arrive when all is over.
const AFTERMATH: Duration = Duration::from_secs(3);

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    pub topology: Topology,
    pub time: Duration,
    pub seed: u64,
    /// The names of the only faults that are made; if there are none, all.
    pub faults: Vec<String>,
}

impl Plan {
    /// Returns the faults that are made.
    pub fn faults(&self) -> Vec<Fault> {
        let mut all = Fault::all(self.topology);
        all.retain(|fault| self.faults.is_empty() || self.faults.contains(&fault.name()));
        all
    }
}

/// What followed a fault.
#[derive(Debug)]
pub struct Case {
    /// When it ended, in milliseconds since the start.
    pub end: u32,
    /// None where not all succeeded in time.
    pub recovery: Option<Recovery>,
    /// Who did not.
    pub missing: String,
}

/// The faults of one kind.
#[derive(Debug, Default)]
pub struct OfKind {
    pub recoveries: Vec<Case>,
    pub errors: Errors,
    /// Milliseconds from the end of a fault to the last error.
    pub last_error: u32,
}

/// What is open and used at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub memory: u64,
    pub files: usize,
    pub links: usize,
    pub clients: u64,
}

/// What a run showed.
pub struct Outcome {
    pub verdict: Verdict,
    pub ledger: Arc<Ledger>,
    pub kinds: BTreeMap<Fault, OfKind>,
    pub begin: Usage,
    pub end: Usage,
    pub highest: u64,
    pub broken_tasks: usize,
    pub connections: u64,
    pub unrestored: usize,
    pub took: Duration,
}

/// Runs a plan to its end, or until `stop`.
pub fn run(plan: &Plan, stop: &AtomicBool) -> Outcome {
    let runtime = Runtime::new().expect("a runtime");
    let mut stage = Stage::start(plan.topology);
    let ledger = Arc::new(Ledger::new());
    let load = start(&runtime, &stage, &ledger, plan);
    thread::sleep(Duration::from_secs(1));
    let watch = Watch::start();
    let begin = usage(&stage);
    let mut scene = Scene {
        ledger: &ledger,
        load: &load,
        random: fastrand::Rng::with_seed(plan.seed),
        kinds: BTreeMap::new(),
        excused: Vec::new(),
        unrestored: 0,
    };
    let started = Instant::now();
    let faults = plan.faults();
    while started.elapsed() < plan.time && !stop.load(Ordering::Relaxed) {
        let fault = faults[scene.random.usize(..faults.len())];
        scene.make(fault, &mut stage);
    }
    let Scene { kinds, excused, unrestored, .. } = scene;
    let broken_tasks = runtime.block_on(load.stop());
    let took = started.elapsed();
    thread::sleep(AFTERMATH);
    let end = usage(&stage);
    let verdict = judge(&stage.servers, &ledger, &excused);
    let (highest, connections) = (watch.highest(), stage.relay.made());
    runtime.shutdown_timeout(Duration::from_secs(1));
    Outcome {
        verdict,
        ledger,
        kinds,
        begin,
        end,
        highest,
        broken_tasks,
        connections,
        unrestored,
        took,
    }
}

fn start(runtime: &Runtime, stage: &Stage, ledger: &Arc<Ledger>, plan: &Plan) -> Load {
    let replicas = plan.topology.replicas();
    let manner = Manner { replicas: Replicas(replicas), lossy: replicas > 0, seed: plan.seed };
    let several = |wanted: u32| {
        let clients = (0..wanted).map(|_| runtime.block_on(stage.connect()).expect("connects"));
        clients.collect::<Vec<_>>()
    };
    let popping = several(own_clients());
    let keeping = several(if replicas > 0 { own_clients() } else { 0 });
    let handle = runtime.handle();
    if plan.topology == Topology::Pool {
        let shared = runtime.block_on(stage.connect_pool()).expect("connects");
        return Load::start(handle, Clients { shared, popping, keeping }, ledger, manner);
    }
    let shared = runtime.block_on(stage.connect()).expect("connects");
    Load::start(handle, Clients { shared, popping, keeping }, ledger, manner)
}

fn usage(stage: &Stage) -> Usage {
    let clients = { 0..stage.servers.len() }.map(|place| {
        let information = stage.servers.get(place).text(&["INFO", "clients"]);
        let line = information.lines().find_map(|line| line.strip_prefix("connected_clients:"));
        line.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
    });
    Usage {
        memory: memory(),
        files: open_files(),
        links: stage.relay.open(),
        clients: clients.sum(),
    }
}

/// What goes on from one fault to the next.
struct Scene<'a> {
    ledger: &'a Ledger,
    load: &'a Load,
    random: fastrand::Rng,
    kinds: BTreeMap<Fault, OfKind>,
    excused: Vec<(u32, u32)>,
    unrestored: usize,
}

impl Scene<'_> {
    /// Makes a fault, and waits until every task has succeeded again and the servers are as before.
    fn make(&mut self, fault: Fault, stage: &mut Stage) {
        let begin = self.ledger.now();
        let roles = stage.servers.roles();
        self.ledger.take_errors();
        fault.make(stage, &mut self.random);
        let end = self.ledger.now();
        let mut case = self.recover(end);
        if case.recovery.is_none() {
            // The next fault is to find a client that works.
            stage.relay.wake();
        }
        let moved = fault.moves_primary() || stage.servers.roles() != roles;
        if stage.servers.len() > 1 && moved {
            self.unrestored += usize::from(!restore(stage));
            let second = self.recover(self.ledger.now());
            if case.recovery.is_some_and(|first| second.is_slower_than(first)) {
                case = second;
            }
            self.excused.push((begin.saturating_sub(1_000), self.ledger.now()));
        }
        let errors = self.ledger.take_errors();
        let kind = self.kinds.entry(fault).or_default();
        kind.recoveries.push(case);
        if errors.number > 0 {
            kind.last_error = kind.last_error.max(errors.last_at.saturating_sub(end));
        }
        kind.errors.add(errors);
        thread::sleep(Duration::from_millis(self.random.u64(..200)));
    }

    /// Waits until every task has succeeded since a moment.
    fn recover(&self, end: u32) -> Case {
        let mut first = vec![None; self.load.pulses()];
        let begin = Instant::now();
        loop {
            let recovery = self.load.recovered(end, &mut first);
            if recovery.is_some() || begin.elapsed() > PATIENCE {
                return Case { end, recovery, missing: self.load.missing(&first) };
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Case {
    fn is_slower_than(&self, other: Recovery) -> bool {
        self.recovery.is_none_or(|recovery| recovery.took > other.took)
    }
}
