//! What policies do to a server, in simulations with fixed seeds on a clock that costs no time.
//!
//! `cargo test -p retry-tests --test core simulations -- --nocapture` prints the tables.

mod backoffs;
mod budgets;
mod outage;

use std::{collections::BTreeMap, f64::consts::TAU, time::Duration};

use retry_runtime::backoff::Random;

/// Events in the order of their times, and of their planning where times are equal.
struct Agenda<E> {
    events: BTreeMap<(Duration, u64), E>,
    planned: u64,
}

impl<E> Agenda<E> {
    fn new() -> Self {
        Self { events: BTreeMap::new(), planned: 0 }
    }

    fn plan(&mut self, time: Duration, event: E) {
        self.planned += 1;
        self.events.insert((time, self.planned), event);
    }

    fn next(&mut self) -> Option<(Duration, E)> {
        self.events.pop_first().map(|((time, _), event)| (time, event))
    }
}

/// Draws the time to the next event of a Poisson process with so many events a second.
fn until_next(random: &mut Random, per_second: f64) -> Duration {
    Duration::from_secs_f64(-(1.0 - random.unit()).ln() / per_second)
}

/// Draws from a normal distribution, by the method of Box and Muller.
fn normal(random: &mut Random, mean: f64, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    mean + deviation * radius * (TAU * random.unit()).cos()
}
