//! Loops written by hand: what a careful programmer writes who uses no crate.

use std::time::Duration;

use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    form,
    form::{ENOUGH, Form, SECOND},
    operation::{Failed, Script, operation},
};

/// The name of the loop that constant policies are compared with.
pub const LOOP: &str = "hand-written loop";
/// The name of the loop whose attempt is a block, so that its body may have `?` as a retried function may.
pub const LOOP_BLOCK: &str = "hand-written loop, body in a block";
/// The name of the loop that reads the clock once, and looks at it between attempts.
pub const LOOP_CLOCK: &str = "hand-written loop + one clock read";
/// The name of the loop whose deadline aborts the running attempt.
pub const LOOP_DEADLINE: &str = "hand-written loop, deadline aborts";

/// Forms for calls that succeed at once.
pub fn first() -> Vec<Form> {
    vec![
        form!("bare call", |script| operation(script)),
        form!("hand-written loop", |script| retried(script)),
        form!("hand-written loop, body in a block", |script| around_block(script)),
        form!("hand-written loop + one clock read", |script| until_late(script)),
        form!("hand-written loop, deadline aborts", |script| with_deadline(script)),
        form!("hand-written loop, attempt timeout", |script| with_attempt_timeout(script)),
    ]
}

/// Forms for calls that fail.
pub fn failing() -> Vec<Form> {
    vec![
        form!("hand-written loop", |script| without_wait(script)),
        form!("hand-written loop, no yield", |script| without_yield(script)),
    ]
}

async fn wait(delay: Duration) {
    if delay.is_zero() { yield_now().await } else { sleep(delay).await }
}

async fn retried(script: &Script) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        match operation(script).await {
            Err(error) if error.is_transient() && retries < 2 => retries += 1,
            outcome => return outcome,
        }
        wait(SECOND).await;
    }
}

/// With a block around the attempt, which a body needs that has a `?` or `return`.
async fn around_block(script: &Script) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        match async { operation(script).await }.await {
            Err(error) if error.is_transient() && retries < 2 => retries += 1,
            outcome => return outcome,
        }
        wait(SECOND).await;
    }
}

async fn until_late(script: &Script) -> Result<u64, Failed> {
    let start = Instant::now();
    let mut retries = 0;
    loop {
        match operation(script).await {
            Err(error)
                if error.is_transient()
                    && retries < 2
                    && start.elapsed() + SECOND < 30 * SECOND =>
            {
                retries += 1;
            }
            outcome => return outcome,
        }
        wait(SECOND).await;
    }
}

async fn with_deadline(script: &Script) -> Result<u64, Failed> {
    let deadline = Instant::now() + 30 * SECOND;
    let mut retries = 0;
    loop {
        let Ok(outcome) = timeout_at(deadline, operation(script)).await else {
            return Err(Failed::TimedOut);
        };
        match outcome {
            Err(error)
                if error.is_transient() && retries < 2 && Instant::now() + SECOND < deadline =>
            {
                retries += 1;
            }
            outcome => return outcome,
        }
        wait(SECOND).await;
    }
}

async fn with_attempt_timeout(script: &Script) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        let outcome = timeout(SECOND, operation(script)).await.unwrap_or(Err(Failed::TimedOut));
        match outcome {
            Err(error) if error.is_transient() && retries < 2 => retries += 1,
            outcome => return outcome,
        }
        wait(SECOND).await;
    }
}

async fn without_wait(script: &Script) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        match operation(script).await {
            Err(error) if error.is_transient() && retries < ENOUGH => retries += 1,
            outcome => return outcome,
        }
        wait(Duration::ZERO).await;
    }
}

async fn without_yield(script: &Script) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        match operation(script).await {
            Err(error) if error.is_transient() && retries < ENOUGH => retries += 1,
            outcome => return outcome,
        }
    }
}
