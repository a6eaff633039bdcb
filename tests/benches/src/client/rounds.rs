//! Many short rounds that take turns, so that what else the machine does hits both alike.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Load, Sends};

/// How often both take their turn.
const ROUNDS: usize = 40;

/// What came out of the rounds of one load.
#[derive(Debug)]
pub struct Compared {
    /// Throughput of the second over that of the first, the median over the rounds.
    pub ratio: f64,
    /// Of the first.
    pub first: Latencies,
    /// Of the second.
    pub second: Latencies,
}

/// How fast it went.
#[derive(Debug, Default)]
pub struct Latencies {
    latencies: Vec<Duration>,
    busy: Duration,
}

impl Latencies {
    /// Returns how many were sent in a second.
    pub fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let sent = self.latencies.len() as f64;
        sent / self.busy.as_secs_f64()
    }

    /// Returns the latency that this share does not exceed, in microseconds.
    pub fn percentile(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let index = self.latencies.len() * percent / 100;
        self.latencies[index.min(self.latencies.len() - 1)].as_secs_f64() * 1e6
    }
}

/// Sends a load by both, turn by turn, from a number of tasks.
pub async fn compare(
    load: Load,
    tasks: usize,
    first: &impl Sends,
    second: &impl Sends,
) -> Compared {
    let mut latencies = [Latencies::default(), Latencies::default()];
    let mut ratios = Vec::with_capacity(ROUNDS);
    // The first round only warms up.
    for round in 0..=ROUNDS {
        let swapped = round % 2 == 1;
        let mut results = Vec::with_capacity(2);
        for turn in [swapped, !swapped] {
            results.push(if turn {
                (1, send_round(load, tasks, second).await)
            } else {
                (0, send_round(load, tasks, first).await)
            });
        }
        if round == 0 {
            continue;
        }
        results.sort_by_key(|(sender, _)| *sender);
        ratios.push(results[1].1.per_second() / results[0].1.per_second());
        for (sender, result) in results {
            latencies[sender].latencies.extend(result.latencies);
            latencies[sender].busy += result.busy;
        }
    }
    ratios.sort_by(f64::total_cmp);
    let [first, second] = latencies;
    Compared { ratio: ratios[ROUNDS / 2], first, second }
}

async fn send_round(load: Load, tasks: usize, sender: &impl Sends) -> Latencies {
    let per_task = match (load, tasks) {
        (_, 1) => 600,
        (Load::Pipeline, _) => 2_500_usize.div_ceil(tasks),
        // Many tasks swing in waves, which a short round may abort anywhere.
        _ => (2_000 * tasks).min(40_000).div_ceil(tasks),
    };
    let mut set = JoinSet::new();
    let start = Instant::now();
    for _ in 0..tasks {
        let sender = sender.clone();
        set.spawn(async move {
            let mut latencies = Vec::with_capacity(per_task);
            for _ in 0..per_task {
                let start = Instant::now();
                sender.send(load).await.expect("the server is up");
                latencies.push(start.elapsed());
            }
            latencies
        });
    }
    let latencies = set.join_all().await.concat();
    Latencies { latencies, busy: start.elapsed() }
}
