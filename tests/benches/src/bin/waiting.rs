//! Lets many calls wait in their backoff at once.
//!
//! The clock of tokio stands still until every call waits, and then jumps: what is measured on the real clock is the
//! work of waking and ending them all.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use backon::Retryable;
use retry_benches::{
    counting::{CountingAllocator, bytes},
    measured::Measured,
    operation::Failed,
    report::{Report, Table},
};
use retry_runtime::{DynPolicy, RetryPolicy, policy::Untimed, retryable};
use tokio::{
    runtime::Builder,
    time::{Sleep, sleep},
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const DELAY: Duration = Duration::from_secs(1);
const CALLS: [usize; 3] = [1, 10_000, 1_000_000];

/// Whether the server that all calls talk to is back.
static UP: AtomicBool = AtomicBool::new(false);
static ENDED: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let mut report = Report::new("waiting", "Calls that wait in their backoff");
    report.note("Each call is a task of its own on one current-thread runtime; bytes are all that is allocated for it: the task, its future, and the timer's share.");
    let mut table = Table::new(
        "Bytes per waiting call, and milliseconds until all have ended",
        &["form", "1 B", "10 k B", "1 M B", "10 k ms", "1 M ms"],
    );
    let mut at_most = [Measured::default(), Measured::default()];
    for (form, spawn) in forms() {
        let results = CALLS.map(|calls| wait(calls, spawn));
        let [one, ten_thousand, million] = results;
        at_most[0].push(form, million.0);
        at_most[1].push(form, million.1);
        table.row([
            form.to_owned(),
            format!("{:.0}", one.0),
            format!("{:.0}", ten_thousand.0),
            format!("{:.0}", million.0),
            format!("{:.1}", ten_thousand.1),
            format!("{:.0}", million.1),
        ]);
    }
    report.table(table);
    for (form, _) in forms() {
        if form.starts_with('#') || form.starts_with("policy.") {
            report.bar(
                format!("bytes of 1 M, {form}, against backon"),
                at_most[0].of(form),
                at_most[0].of("backon"),
            );
        }
    }
    report.finish();
}

type Spawn = fn();

fn forms() -> [(&'static str, Spawn); 8] {
    [
        ("a timer and nothing else", || spawn(timer())),
        ("hand-written loop", || spawn(by_hand())),
        ("#[retryable] constant", || spawn(constant())),
        ("#[retryable] composite of two", || spawn(composite())),
        ("#[retryable] erased", || spawn(erased_call())),
        ("policy.retry(…)", || spawn(POLICY.retry(attempt).into_future())),
        ("backon", || spawn(attempt.retry(backon_policy()).into_future())),
        ("backon-macros", || spawn(with_backon())),
    ]
}

/// Returns the bytes per waiting call, and the milliseconds until all have ended.
fn wait(calls: usize, spawn: Spawn) -> (f64, f64) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O needs nothing of the system");
    UP.store(false, Relaxed);
    ENDED.store(0, Relaxed);
    runtime.block_on(async {
        sleep(DELAY / 2).await;
        let before = bytes();
        (0..calls).for_each(|_| spawn());
        // The clock only moves when every call waits.
        sleep(DELAY / 2).await;
        let each = per_call(bytes() - before, calls);
        UP.store(true, Relaxed);
        let start = Instant::now();
        while ENDED.load(Relaxed) < calls {
            sleep(DELAY).await;
        }
        (each, start.elapsed().as_secs_f64() * 1e3)
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per_call(bytes: usize, calls: usize) -> f64 {
    bytes as f64 / calls as f64
}

fn spawn<T>(call: impl Future<Output = Result<T, Failed>> + Send + 'static) {
    drop(tokio::spawn(async move {
        if call.await.is_ok() {
            ENDED.fetch_add(1, Relaxed);
        }
    }));
}

async fn attempt() -> Result<(), Failed> {
    if UP.load(Relaxed) { Ok(()) } else { Err(Failed::Transient(1)) }
}

async fn timer() -> Result<(), Failed> {
    let wait: Sleep = sleep(DELAY);
    wait.await;
    Ok(())
}

async fn by_hand() -> Result<(), Failed> {
    let mut retries = 0;
    loop {
        match attempt().await {
            Err(error) if error.is_transient() && retries < 2 => retries += 1,
            outcome => return outcome,
        }
        sleep(DELAY).await;
    }
}

const POLICY: RetryPolicy<retry_runtime::Constant> = RetryPolicy::constant(DELAY);

#[retryable(policy = POLICY)]
async fn constant() -> Result<(), Failed> {
    attempt().await
}

#[retryable(policy = composite(
    constant(delay = "1s", on = Failed::is_transient),
    constant(delay = "500ms"),
))]
async fn composite() -> Result<(), Failed> {
    attempt().await
}

async fn erased_call() -> Result<(), Failed> {
    erased(DynPolicy::of_timing(POLICY)).await
}

#[retryable(policy = policy)]
async fn erased(policy: DynPolicy<Failed, Untimed>) -> Result<(), Failed> {
    attempt().await
}

fn backon_policy() -> backon::ConstantBuilder {
    backon::ConstantBuilder::default().with_delay(DELAY)
}

#[backon_macros::backon(backoff = backon_policy)]
async fn with_backon() -> Result<(), Failed> {
    attempt().await
}
