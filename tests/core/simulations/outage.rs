//! An outage that outlives its cause: what retries do to a server that was too slow for a moment.
//!
//! The server answers one request at a time, in order, a thousand a second, and does not know which of them the clients
//! have given up on.
//! 20 clients make 35 calls a second each, so it is busy for 70 % of the time; they wait for an answer for half a second.
//! For five seconds the server does only half its work.
//! Every client has a budget or a breaker of its own, with the defaults.

use std::time::Duration;

use retry_runtime::{
    Budget, CircuitBreaker, Exponential,
    backoff::{Backoff, Random, RetryContext},
    breaker::Admission,
    budget::{Charge, Cost, Permit},
};
use tokio::time::{Instant, advance};

use super::{Agenda, until_next};

const CLIENTS: usize = 20;
const CALLS_PER_SECOND: f64 = 35.0;
const SERVICE: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_millis(500);
const TRIGGER: std::ops::Range<u64> = 20..25;
const SECONDS: usize = 90;

enum Event {
    Call,
    Retry { retry: u32, waited: Duration, permit: Option<Permit> },
    Answer { charge: Option<Charge>, admission: Option<Admission> },
    Timeout { retry: u32, waited: Option<Duration>, admission: Option<Admission> },
}

#[derive(Default)]
struct Client {
    retries: u32,
    budget: Option<Budget>,
    breaker: Option<CircuitBreaker>,
}

impl Client {
    /// Returns the admission of an attempt by the breaker, if there is one, or nothing if it is rejected.
    fn admit(&self) -> Option<Option<Admission>> {
        match &self.breaker {
            Some(breaker) => breaker.admit().ok().map(Some),
            None => Some(None),
        }
    }

    fn failed(&self, admission: Option<Admission>) {
        if let Some((breaker, admission)) = self.breaker.as_ref().zip(admission) {
            breaker.failed(admission);
        }
    }

    fn succeeded(&self, charge: Option<Charge>, admission: Option<Admission>) {
        if let Some((breaker, admission)) = self.breaker.as_ref().zip(admission) {
            breaker.succeeded(admission);
        }
        match (&self.budget, charge) {
            (Some(budget), Some(charge)) => budget.refund(charge),
            (Some(budget), None) => budget.succeeded(),
            (None, _) => (),
        }
    }

    /// Returns the permit of a retry, if one may follow.
    fn permit(&self, retry: u32) -> Option<Option<Permit>> {
        if retry > self.retries {
            return None;
        }
        match &self.budget {
            Some(budget) => budget.withdraw(Cost::Transient).ok().map(Some),
            None => Some(None),
        }
    }
}

struct Server {
    free_at: Duration,
    requests: [u32; SECONDS],
}

impl Server {
    /// Takes a request and returns when its answer is ready; it is worked on even if nobody waits any more.
    fn take(&mut self, now: Duration) -> Duration {
        if let Some(requests) = self.requests.get_mut(second(now)) {
            *requests += 1;
        }
        let begin = self.free_at.max(now);
        let slow = if TRIGGER.contains(&begin.as_secs()) { 2 } else { 1 };
        self.free_at = begin + SERVICE * slow;
        self.free_at
    }
}

fn second(time: Duration) -> usize {
    usize::try_from(time.as_secs()).expect("a short time")
}

/// Returns the requests that arrived and the calls that were answered in time, per second.
async fn run(seed: u64, client: impl Fn() -> Client) -> ([u32; SECONDS], [u32; SECONDS]) {
    let backoff = Exponential::new();
    let mut random = Random::seeded(seed);
    let clients = [(); CLIENTS].map(|()| client());
    let (mut server, mut answered) =
        (Server { free_at: Duration::ZERO, requests: [0; SECONDS] }, [0; SECONDS]);
    let start = Instant::now();
    let mut agenda = Agenda::new();
    for client in 0..CLIENTS {
        agenda.plan(until_next(&mut random, CALLS_PER_SECOND), (client, Event::Call));
    }
    while let Some((now, (index, event))) = agenda.next() {
        if second(now) >= SECONDS {
            break;
        }
        // Breakers read the clock, which is paused.
        advance((start + now).saturating_duration_since(Instant::now())).await;
        let client = &clients[index];
        let (retry, waited, charge) = match event {
            Event::Answer { charge, admission } => {
                answered[second(now)] += 1;
                client.succeeded(charge, admission);
                continue;
            }
            Event::Timeout { retry, waited, admission } => {
                client.failed(admission);
                if let Some(permit) = client.permit(retry + 1) {
                    let retry = retry + 1;
                    let waited = backoff.delay(&mut RetryContext::new(retry, waited, &mut random));
                    agenda.plan(now + waited, (index, Event::Retry { retry, waited, permit }));
                }
                continue;
            }
            Event::Call => {
                let next = now + until_next(&mut random, CALLS_PER_SECOND);
                agenda.plan(next, (index, Event::Call));
                (0, None, None)
            }
            Event::Retry { retry, waited, permit } => {
                (retry, Some(waited), permit.map(Permit::start))
            }
        };
        let Some(admission) = client.admit() else { continue };
        let done = server.take(now);
        if done <= now + TIMEOUT {
            agenda.plan(done, (index, Event::Answer { charge, admission }));
        } else {
            agenda.plan(now + TIMEOUT, (index, Event::Timeout { retry, waited, admission }));
        }
    }
    (server.requests, answered)
}

/// Returns the mean of the calls answered per second from one second to another.
fn mean(answered: &[u32; SECONDS], seconds: std::ops::Range<usize>) -> f64 {
    let count = u32::try_from(seconds.len()).expect("few seconds");
    f64::from(answered[seconds].iter().sum::<u32>()) / f64::from(count)
}

/// Returns the runs without retries, with three, with a budget and with a breaker.
async fn runs(seed: u64) -> [([u32; SECONDS], [u32; SECONDS]); 4] {
    let retrying = || Client { retries: 3, ..Client::default() };
    [
        run(seed, Client::default).await,
        run(seed, retrying).await,
        run(seed, || Client { budget: Some(Budget::new()), ..retrying() }).await,
        run(seed, || Client { breaker: Some(CircuitBreaker::new()), ..retrying() }).await,
    ]
}

#[tokio::test(start_paused = true)]
async fn an_outage_outlives_its_cause_unless_something_bounds_the_load() {
    println!("requests -> calls answered in time, per second; the server is slow in {TRIGGER:?}");
    println!("second |   no retries |    3 retries |  3 and budget | 3 and breaker");
    let printed = runs(1).await;
    for second in 16..40 {
        let cells = printed
            .iter()
            .map(|(requests, answered)| format!("{:4} -> {:4}", requests[second], answered[second]))
            .collect::<Vec<_>>();
        println!("    {second:2} | {}", cells.join(" | "));
    }

    for runs in [printed, runs(2).await, runs(3).await] {
        let [none, unbounded, budgeted, broken] = runs.map(|(_, answered)| answered);
        for answered in [&none, &unbounded, &budgeted, &broken] {
            assert!((670.0..730.0).contains(&mean(answered, 5..20)), "all is well before");
        }
        assert!(mean(&unbounded, 30..SECONDS) < 7.0, "65 s later the outage goes on");
        assert!(mean(&none, 30..SECONDS) > 680.0, "without retries it ends with its cause");
        assert!(mean(&budgeted, 35..SECONDS) > 680.0, "with a budget it ends soon after");
        assert!(mean(&broken, 45..SECONDS) > 680.0, "with a breaker it ends with a probe");
    }
}
