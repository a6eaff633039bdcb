use std::{
    cell::RefCell,
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::failure::GiveUpReason;

/// Runs a future, and records the calls in it that failed at least once.
///
/// Tasks that are spawned inside are not recorded, and neither is what an inner recording records.
/// On tokio's paused clock the delays pass at once, but are recorded all the same.
pub async fn record<F: Future>(future: F) -> Recording<F::Output> {
    // Boxed: a future that is an argument of an `async fn` takes its space twice.
    let mut future = Box::pin(future);
    let mut ours = Vec::new();
    let output = std::future::poll_fn(|context| {
        let outer = CURRENT.replace(Some(std::mem::take(&mut ours)));
        let restore = Restore { outer };
        let poll = future.as_mut().poll(context);
        ours = CURRENT.take().unwrap_or_default();
        drop(restore);
        poll
    })
    .await;
    Recording { output, calls: ours.into_iter().map(|(_, call)| call).collect() }
}

type Recorded = Vec<(Record, Call)>;

thread_local! {
    static CURRENT: RefCell<Option<Recorded>> = const { RefCell::new(None) };
}

struct Restore {
    outer: Option<Recorded>,
}

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

/// What a future returned, and what the calls in it did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recording<T> {
    /// What the future returned.
    pub output: T,
    /// The calls that failed at least once, in the order of their first failure.
    pub calls: Vec<Call>,
}

impl<T> Recording<T> {
    /// Returns the attempts of the first call that failed, or 1 if none did.
    pub fn attempts(&self) -> u32 {
        self.calls.first().map_or(1, |call| call.attempts)
    }

    /// Returns the delays of the first call that failed, in order.
    pub fn delays(&self) -> Vec<Duration> {
        self.calls.first().map(|call| call.delays.clone()).unwrap_or_default()
    }

    /// Returns why the first call that failed ended without success, if it did.
    pub fn reason(&self) -> Option<GiveUpReason> {
        self.calls.first()?.reason
    }
}

/// What a call did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The name of the operation.
    pub operation: &'static str,
    /// How many attempts were made.
    pub attempts: u32,
    /// The delays before the retries.
    pub delays: Vec<Duration>,
    /// Why it ended, if it ended without success.
    pub reason: Option<GiveUpReason>,
}

/// The identity of a call in a recording: calls of one name can run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record(u64);

impl Record {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Notes that an attempt failed and another follows.
pub(crate) fn retried(record: Record, operation: &'static str, attempt: u32, delay: Duration) {
    with_call(record, operation, attempt, |call| call.delays.push(delay));
}

/// Notes the end of a call.
pub(crate) fn ended(
    record: Record,
    operation: &'static str,
    attempt: u32,
    reason: Option<GiveUpReason>,
) {
    with_call(record, operation, attempt, |call| call.reason = reason);
}

fn with_call(record: Record, operation: &'static str, attempt: u32, note: impl FnOnce(&mut Call)) {
    CURRENT.with_borrow_mut(|current| {
        let Some(calls) = current else { return };
        let index = calls.iter().position(|(other, _)| *other == record).unwrap_or_else(|| {
            let delays = Vec::new();
            calls.push((record, Call { operation, attempts: attempt, delays, reason: None }));
            calls.len() - 1
        });
        let call = &mut calls[index].1;
        call.attempts = attempt;
        note(call);
    });
}
