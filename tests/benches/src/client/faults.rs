//! A server that is killed and started again every two seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult, KeysInterface},
};
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, WithRetry},
};

use tokio::time::sleep;

use super::{Load, Sends, one_attempt};
use crate::redis_server::RedisServer;

/// How many tasks send.
pub const TASKS: usize = 16;
/// How long each contender is watched.
const WATCHED: Duration = Duration::from_secs(12);
const BETWEEN_RESTARTS: Duration = Duration::from_secs(2);
const ATTEMPT: Duration = Duration::from_millis(500);
const RETRIES: u32 = 10;
const BASE_DELAY: Duration = Duration::from_millis(20);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// What the callers got.
#[derive(Debug)]
pub struct Goodput {
    /// Commands that succeeded, per second.
    pub successes: f64,
    /// Commands that failed, in all.
    pub errors: u64,
    /// The longest that a caller waited for an answer, in milliseconds.
    pub longest: f64,
}

/// fred alone: it connects again, and sends again what was in flight, up to three times.
#[derive(Debug, Clone)]
pub struct Alone(pub Client);

impl Sends for Alone {
    async fn send(&self, _: Load) -> FredResult<()> {
        self.0.get("key").await
    }
}

/// A loop around single attempts, as a careful programmer writes it.
#[derive(Debug, Clone)]
pub struct Loop(pub Client);

impl Sends for Loop {
    async fn send(&self, _: Load) -> FredResult<()> {
        let options = one_attempt(ATTEMPT);
        let mut delay = BASE_DELAY;
        for _ in 0..RETRIES {
            match self.0.with_options(&options).get("key").await {
                Err(error) if may_pass(&error) => sleep(delay).await,
                outcome => return outcome,
            }
            delay = (delay * 2).min(MAX_DELAY);
        }
        self.0.with_options(&options).get("key").await
    }
}

fn may_pass(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::IO | ErrorKind::Timeout | ErrorKind::Canceled | ErrorKind::Unknown
    )
}

/// The client that retries, with the same limits.
pub fn retrying(client: Client) -> RetryClient {
    let policy = RetryPolicy::exponential()
        .base_delay(BASE_DELAY)
        .max_delay(MAX_DELAY)
        .retries(RETRIES)
        .attempt_timeout(ATTEMPT);
    client.with_retry(policy)
}

/// Lets a sender work while the server comes and goes.
pub async fn watch(server: &mut RedisServer, sender: impl Sends) -> Goodput {
    let ended = Arc::new(AtomicBool::new(false));
    let errors = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for _ in 0..TASKS {
        let (sender, ended, errors) = (sender.clone(), Arc::clone(&ended), Arc::clone(&errors));
        tasks.spawn(async move {
            let (mut successes, mut longest) = (0_u32, Duration::ZERO);
            while !ended.load(Relaxed) {
                let start = Instant::now();
                match sender.send(Load::Get).await {
                    Ok(()) => successes += 1,
                    Err(_) => {
                        errors.fetch_add(1, Relaxed);
                        // So that a client that fails at once does not take the processor from the server.
                        sleep(Duration::from_millis(1)).await;
                    }
                }
                longest = longest.max(start.elapsed());
            }
            (successes, longest)
        });
    }
    thread::scope(|scope| {
        scope.spawn(|| restart_again_and_again(server, &ended));
    });
    let results = tasks.join_all().await;
    let successes: u32 = results.iter().map(|(successes, _)| successes).sum();
    let longest = results.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    Goodput {
        successes: f64::from(successes) / start.elapsed().as_secs_f64(),
        errors: errors.load(Relaxed),
        longest: longest.as_secs_f64() * 1e3,
    }
}

fn restart_again_and_again(server: &mut RedisServer, ended: &AtomicBool) {
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        thread::sleep(BETWEEN_RESTARTS);
        server.kill();
        // As long as a supervisor takes to notice.
        thread::sleep(Duration::from_millis(200));
        server.restart();
    }
    ended.store(true, Relaxed);
}
