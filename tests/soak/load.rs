//! The tasks that call without end.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use fred::clients::Client;
use retry_runtime::fred::RetryClient;
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    calls::{Caller, Loadable, Replicas},
    kind::Kind,
    ledger::{Ledger, Told},
    own::Own,
};

/// How many tasks call, all kinds together.
const TASKS: u32 = 32;

/// How many of them take from the queues, and how many wait for the replicas: on connections of their own, because
/// both hold up what comes after them.
const OWN: u32 = 2;

/// Each task, the transactions of all, and each third of the slots of a cluster.
const PULSES: u32 = TASKS + 1 + 3;

/// The tasks, and when each pulse was last felt.
pub struct Load {
    stop: Arc<AtomicBool>,
    pulses: Arc<Vec<AtomicU32>>,
    tasks: JoinSet<()>,
    popping: usize,
    keeping: usize,
}

/// How long it took until all succeeded again.
#[derive(Debug, Clone, Copy)]
pub struct Recovery {
    /// In milliseconds.
    pub took: u32,
    /// Whose success came last.
    pub slowest: &'static str,
}

/// What the tasks call with.
pub struct Clients<C: Loadable> {
    /// For all tasks that do not block.
    pub shared: RetryClient<C>,
    /// For one task each.
    pub popping: Vec<RetryClient<Client>>,
    /// For one task each; none if there are no replicas.
    pub keeping: Vec<RetryClient<Client>>,
}

/// How many clients of its own each blocking kind of call has.
pub const fn own_clients() -> u32 {
    OWN
}

/// What differs between topologies.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub replicas: Replicas,
    pub lossy: bool,
    pub seed: u64,
}

impl Load {
    /// Starts all tasks.
    pub fn start<C: Loadable>(
        runtime: &Handle,
        clients: Clients<C>,
        ledger: &Arc<Ledger>,
        manner: Manner,
    ) -> Self {
        let mut load = Self {
            stop: Arc::default(),
            pulses: Arc::new((0..PULSES).map(|_| AtomicU32::new(0)).collect()),
            tasks: JoinSet::new(),
            popping: clients.popping.len(),
            keeping: clients.keeping.len(),
        };
        let mut task = 0;
        for client in clients.popping {
            load.spawn(runtime, task, caller(client, ledger, manner, task), &[Kind::Pop]);
            task += 1;
        }
        for client in clients.keeping {
            load.spawn(runtime, task, caller(client, ledger, manner, task), &[Kind::Kept]);
            task += 1;
        }
        for task in task..TASKS {
            let caller = caller(clients.shared.clone(), ledger, manner, task);
            load.spawn(runtime, task, caller, &Kind::MIXED);
        }
        load
    }

    fn spawn<C: Loadable>(
        &mut self,
        runtime: &Handle,
        task: u32,
        mut caller: Caller<C>,
        kinds: &'static [Kind],
    ) {
        let (stop, pulses) = (Arc::clone(&self.stop), Arc::clone(&self.pulses));
        let calls = async move {
            while !stop.load(Ordering::Relaxed) {
                let kind = kinds[caller.random.usize(..kinds.len())];
                if is_answer(kind, caller.call(kind).await) {
                    let now = caller.ledger.now();
                    for pulse in proven(task, kind, caller.third) {
                        pulses[pulse as usize].store(now, Ordering::Relaxed);
                    }
                }
                // The queues are filled more slowly than they could be emptied.
                let longest = if kind == Kind::Pop { 60_000 } else { 8_000 };
                let pause = Duration::from_micros(caller.random.u64(..longest));
                tokio::time::sleep(pause).await;
            }
        };
        self.tasks.spawn_on(calls, runtime);
    }

    /// Returns how many milliseconds after a moment the last pulse was felt again, and whose it is, if all were.
    pub fn recovered(&self, since: u32, first: &mut [Option<u32>]) -> Option<Recovery> {
        for (pulse, first) in self.pulses.iter().zip(first.iter_mut()) {
            let last = pulse.load(Ordering::Relaxed);
            if first.is_none() && last >= since {
                *first = Some(last - since);
            }
        }
        let all = first.iter().copied().collect::<Option<Vec<_>>>()?;
        let (slowest, took) = all.into_iter().enumerate().max_by_key(|(_, took)| *took)?;
        Some(Recovery { took, slowest: self.name(slowest) })
    }

    /// Returns whose pulses are missing.
    pub fn missing(&self, first: &[Option<u32>]) -> String {
        let missing = { 0..first.len() }.filter(|pulse| first[*pulse].is_none());
        let names = missing.map(|pulse| self.name(pulse)).collect::<BTreeSet<_>>();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn name(&self, pulse: usize) -> &'static str {
        const TRANSACTIONS: usize = TASKS as usize;
        match pulse {
            _ if pulse < self.popping => "BLPOP",
            _ if pulse < self.popping + self.keeping => "WAIT",
            ..TRANSACTIONS => "shared client",
            TRANSACTIONS => "transactions",
            _ => "a third of the slots",
        }
    }

    /// Returns how many have to be felt after a fault.
    pub fn pulses(&self) -> usize {
        self.pulses.len()
    }

    /// Ends the tasks after their calls, and returns how many panicked or did not end.
    pub async fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut broken = 0;
        let all = async {
            while let Some(task) = self.tasks.join_next().await {
                broken += usize::from(task.is_err());
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), all).await;
        broken + if ended.is_err() { self.tasks.len() } else { 0 }
    }
}

/// Tells whether a call was answered; that too few replicas have a write is an answer too.
fn is_answer(kind: Kind, told: Told) -> bool {
    told == Told::Done || (kind == Kind::Kept && told == Told::Alone)
}

/// Returns the places of the pulses that a success is for.
fn proven(task: u32, kind: Kind, third: Option<u32>) -> impl Iterator<Item = u32> {
    let first = match kind {
        // They have connections of their own, and prove nothing about the one that all tasks share.
        Kind::Transaction => Some(TASKS),
        Kind::Dropped => None,
        _ => Some(task),
    };
    first.into_iter().chain(third.map(|third| TASKS + 1 + third))
}

fn caller<C: Loadable>(
    client: RetryClient<C>,
    ledger: &Arc<Ledger>,
    manner: Manner,
    task: u32,
) -> Caller<C> {
    let own = |name: &str| Own::of(format!("own:{name}:{task}"));
    Caller {
        client,
        ledger: Arc::clone(ledger),
        random: fastrand::Rng::with_seed(manner.seed.wrapping_add(u64::from(task) << 32)),
        own: [own("set"), own("once")],
        replicas: manner.replicas,
        lossy: manner.lossy,
        third: None,
    }
}
