//! How many calls clients need who compete for one row, by the backoff between their attempts.
//!
//! The model of Marc Brooker's *Exponential Backoff And Jitter* (aws-samples/aws-arch-backoff-simulator): every client
//! reads a row and writes it on the condition that nobody else wrote meanwhile; on a conflict it waits and starts over.
//! A message takes `|normal(10, 2)|` ms, the server no time.
//! Counted are the writes, until every client made one that succeeded.

use std::time::Duration;

use retry_runtime::{
    Constant, Exponential, Jitter,
    backoff::{Backoff, Random, RetryContext},
};

use super::{Agenda, normal};

const BASE: Duration = Duration::from_millis(5);
const CAP: Duration = Duration::from_secs(2);

/// The clients, and the mean writes with no backoff, exponential, equal, full and decorrelated.
const REFERENCE: [(usize, [f64; 5]); 3] = [
    (10, [51.0, 51.0, 42.0, 39.0, 38.0]),
    (50, [690.0, 627.0, 347.0, 332.0, 372.0]),
    (100, [2423.0, 1850.0, 813.0, 796.0, 1002.0]),
];

fn backoffs() -> [(&'static str, Box<dyn Backoff>); 5] {
    // The article doubles before the first wait, so that its first window is twice its base.
    let doubled = Exponential::new().base_delay(BASE * 2).max_delay(CAP);
    // Decorrelated waits start at the base itself: between it and three times it.
    let decorrelated = Exponential::new().base_delay(BASE).max_delay(CAP);
    [
        ("none", Box::new(Constant::new(Duration::ZERO))),
        ("exponential", Box::new(doubled.jitter(Jitter::None))),
        ("equal", Box::new(doubled.jitter(Jitter::Equal))),
        ("full", Box::new(doubled.jitter(Jitter::Full))),
        ("decorrelated", Box::new(decorrelated.jitter(Jitter::Decorrelated))),
    ]
}

#[derive(Clone, Copy, Default)]
struct Client {
    seen: usize,
    retries: u32,
    waited: Option<Duration>,
}

enum Message {
    Read(usize),
    Row(usize, usize),
    Write(usize),
    Conflict(usize),
}

/// Returns the writes and the time of the last event.
fn run(clients: usize, backoff: &dyn Backoff, random: &mut Random) -> (u32, Duration) {
    let hop =
        |random: &mut Random| Duration::from_secs_f64(normal(random, 10.0, 2.0).abs() / 1_000.0);
    let mut agenda = Agenda::new();
    let mut states = vec![Client::default(); clients];
    let (mut version, mut writes, mut now) = (0, 0, Duration::ZERO);
    for client in 0..clients {
        agenda.plan(hop(random), Message::Read(client));
    }
    while let Some((time, message)) = agenda.next() {
        now = time;
        match message {
            Message::Read(client) => agenda.plan(now + hop(random), Message::Row(client, version)),
            Message::Row(client, seen) => {
                states[client].seen = seen;
                agenda.plan(now + hop(random), Message::Write(client));
            }
            Message::Write(client) => {
                writes += 1;
                if states[client].seen == version {
                    version += 1;
                    // The answer, of which nothing follows, ends the run.
                    now += hop(random);
                } else {
                    agenda.plan(now + hop(random), Message::Conflict(client));
                }
            }
            Message::Conflict(client) => {
                let Client { retries, waited, .. } = &mut states[client];
                *retries += 1;
                let delay = backoff.delay(&mut RetryContext::new(*retries, *waited, random));
                *waited = Some(delay);
                agenda.plan(now + delay + hop(random), Message::Read(client));
            }
        }
    }
    (writes, now)
}

#[test]
fn needs_as_many_calls_as_the_published_simulation() {
    println!("writes / ms to the last answer (reference)");
    for (clients, reference) in REFERENCE {
        let runs = if clients > 10 { 30 } else { 300 };
        for ((name, backoff), expected) in backoffs().into_iter().zip(reference) {
            let mut random = Random::seeded(1);
            let (mut writes, mut time) = (0, Duration::ZERO);
            for _ in 0..runs {
                let (more, end) = run(clients, &*backoff, &mut random);
                writes += more;
                time += end;
            }
            let writes = f64::from(writes) / f64::from(runs);
            let millis = (time / runs).as_millis();
            println!("{clients:3} clients, {name:12}: {writes:6.1} / {millis:5} ({expected})");
            // The reference is rounded to whole calls.
            let error = ((writes - expected).abs() - 0.5).max(0.0) / expected;
            assert!(error < 0.03, "{clients} clients, {name}: {writes}, expected {expected}");
        }
    }
}
