//! Limits of attempts that are always ready: such an attempt uses up tokio's cooperative budget at every poll, and with
//! an empty budget every timer of tokio is pending (tokio-rs/tokio#4291).

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    task::Poll,
    time::Duration,
};

use retry_runtime::{Aborted, Budget, RetryPolicy, retryable};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::coop::{consume_budget, has_budget_remaining},
    time::{Instant, advance, timeout},
};

use super::script::{Failed, MILLI, SECOND};

const LIMIT: Duration = Duration::from_millis(100);
const DEADLINE: Result<(), Failed> = Err(Failed::Late(Aborted::Deadline(LIMIT)));
const TIMEOUT: Result<(), Failed> = Err(Failed::Late(Aborted::AttemptTimeout(LIMIT)));
/// After this an attempt ends by itself, so that a limit that does not hold fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(5);

async fn spin() -> Result<(), Failed> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        consume_budget().await;
    }
    Ok(())
}

/// Reads what it has sent itself.
async fn feed_itself() -> Result<(), Failed> {
    let begin = Instant::now();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    while begin.elapsed() < PATIENCE {
        sender.send(()).map_err(|_| Failed::Broken)?;
        receiver.recv().await;
    }
    Ok(())
}

/// Sends without end to everybody who connects.
async fn flooding_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = listener.into_std()?;
        runtime.block_on(async {
            let (mut peer, _) = TcpListener::from_std(listener)?.accept().await?;
            while peer.write_all(&[0; 65536]).await.is_ok() {}
            Ok(())
        })
    });
    Ok(address)
}

async fn read_a_flood(address: SocketAddr) -> Result<(), Failed> {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(address).await.map_err(|_| Failed::Broken)?;
    let mut buffer = [0; 64];
    while begin.elapsed() < PATIENCE {
        stream.read_exact(&mut buffer).await.map_err(|_| Failed::Broken)?;
    }
    Ok(())
}

#[retryable(policy = constant(delay = "1ms", retries = 0, deadline = "100ms"))]
async fn under_a_deadline() -> Result<(), Failed> {
    spin().await
}

#[retryable(policy = constant(delay = "1ms", retries = 0, attempt_timeout = "100ms"))]
async fn under_a_timeout() -> Result<(), Failed> {
    feed_itself().await
}

#[retryable(policy = constant(delay = "1ms", retries = 0, attempt_timeout = "100ms"), before = async |_| ())]
async fn flooded(address: SocketAddr) -> Result<(), Failed> {
    read_a_flood(address).await
}

#[retryable(policy = constant(delay = "1ms", retries = 0, deadline = "100ms"), budget = budget)]
async fn guarded(budget: &Budget) -> Result<(), Failed> {
    spin().await
}

async fn every_form() {
    let budget = Budget::new();
    let once = RetryPolicy::constant(MILLI).retries(0);
    let policy = once.deadline(LIMIT);
    assert_eq!(in_time(under_a_deadline()).await, DEADLINE);
    assert_eq!(in_time(under_a_timeout()).await, TIMEOUT);
    assert_eq!(in_time(guarded(&budget)).await, DEADLINE);
    assert_eq!(in_time(policy.retry(spin).into_future()).await, DEADLINE);
    assert_eq!(in_time(policy.retry(feed_itself).name("hooked").into_future()).await, DEADLINE);
    let policy = once.attempt_timeout(LIMIT).budget(&budget);
    assert_eq!(in_time(policy.retry(spin).into_future()).await, TIMEOUT);
    let address = flooding_server().await.unwrap();
    assert_eq!(in_time(flooded(address)).await, TIMEOUT);
}

/// As long as tokio's own `timeout` may take for it on a busy machine.
async fn in_time<T>(call: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let outcome = call.await;
    assert!((LIMIT..2 * SECOND).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    outcome
}

#[tokio::test]
async fn limits_hold_for_an_attempt_that_is_always_ready() {
    every_form().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn limits_hold_for_an_attempt_that_is_always_ready_on_a_worker() {
    tokio::spawn(every_form()).await.unwrap();
}

/// Uses up the budget at every poll, and a millisecond of the paused clock with it.
async fn spin_for(millis: u32) -> Result<(), Failed> {
    for _ in 0..millis {
        while has_budget_remaining() {
            consume_budget().await;
        }
        advance(MILLI).await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn it_is_cut_when_tokio_would_cut_it() {
    let begin = Instant::now();
    assert!(timeout(LIMIT, spin_for(1000)).await.is_err());
    let reference = begin.elapsed();
    let once = RetryPolicy::constant(MILLI).retries(0);
    for policy in [once.attempt_timeout(LIMIT), once.deadline(LIMIT)] {
        let begin = Instant::now();
        assert!(policy.retry(|| spin_for(1000)).await.is_err());
        assert_eq!(begin.elapsed(), reference);
    }
}

#[tokio::test(start_paused = true)]
async fn waits_and_limits_end_beside_a_future_that_is_always_ready() {
    let rejected = async || Err::<(), _>(Failed::Rejected(0));
    let policy = RetryPolicy::constant(LIMIT).retries(1);
    let begin = Instant::now();
    assert_eq!(
        beside_a_spinner(policy.retry(rejected).into_future()).await,
        Some(Err(Failed::Rejected(0)))
    );
    assert!(begin.elapsed() < LIMIT + 3 * MILLI, "{:?}", begin.elapsed());
    let begin = Instant::now();
    let hang = std::future::pending::<Result<(), Failed>>;
    assert_eq!(
        beside_a_spinner(policy.deadline(LIMIT).retry(hang).into_future()).await,
        Some(DEADLINE)
    );
    assert!(begin.elapsed() < LIMIT + 3 * MILLI, "{:?}", begin.elapsed());
}

/// Polls a call after a future that is always ready, as a `select!` that is biased does.
async fn beside_a_spinner<T>(call: impl Future<Output = T>) -> Option<T> {
    let (mut spinner, mut call) = (Box::pin(spin_for(1000)), Box::pin(call));
    poll_fn(|context| match spinner.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => call.as_mut().poll(context).map(Some),
    })
    .await
}
