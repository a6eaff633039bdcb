//! A graceful shutdown: `SIGTERM` cancels a token, and the service finishes what it has begun.
//!
//! - The server accepts no more requests, and answers those that it has. They still need Redis, so the client has a
//!   deadline and no token: under a cancelled token no command begins.
//! - A call that retries for a long time has the token. While it waits for its next attempt, a shutdown ends it at once,
//!   with the error of its last attempt. A running attempt is not aborted, because its outcome would be unknown.
//! - A background task ends between two rounds.

use std::{
    io,
    process::Command,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use retry_runtime::{RetryPolicy, fred::RetryClient, retryable};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::{interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the service may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
struct Service {
    redis: RetryClient,
    stop: CancellationToken,
}

/// Takes a while, and writes at the end.
async fn work(State(service): State<Service>) -> Result<String, StatusCode> {
    sleep(Duration::from_millis(500)).await;
    let count: Result<i64, _> = service.redis.incr("work").await;
    count.map(|count| format!("number {count}")).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// Calls a partner that is down.
async fn ask(State(service): State<Service>) -> Result<String, StatusCode> {
    ask_partner(&service.stop).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

#[retryable(policy = constant(delay = "30s", retries = unlimited), cancel = stop)]
async fn ask_partner(stop: &CancellationToken) -> io::Result<String> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Works in the background.
async fn tick(service: Service) {
    let mut ticks = interval(Duration::from_millis(100));
    while service.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = service.redis.incr::<(), _>("ticks").await {
            println!("missed a tick: {error}");
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = retry_server::Server::start()?;
    let policy = RetryPolicy::exponential().retries(5).deadline(Duration::from_secs(3));
    let redis = RetryClient::connect_url(&server.url(), policy).await?;
    let service = Service { redis: redis.clone(), stop: CancellationToken::new() };
    let stop = service.stop.clone();
    let mut sigterm = signal(SignalKind::terminate())?;

    let tasks = TaskTracker::new();
    tasks.spawn(tick(service.clone()));
    let routes =
        Router::new().route("/work", get(work)).route("/ask", get(ask)).with_state(service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving =
        axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move { serving.await });
    tasks.close();

    let requests = tokio::spawn(requests(url.clone()));
    sleep(Duration::from_millis(200)).await;
    // A deployment does this.
    Command::new("sh").args(["-c", "kill -TERM $PPID"]).status()?;

    sigterm.recv().await;
    println!("SIGTERM");
    let begin = Instant::now();
    stop.cancel();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        println!("some tasks did not end in time");
    }
    // Now that nobody else writes: the last writes.
    redis.set::<(), _, _>("stopped", true, None, None, false).await?;
    redis.quit().await?;
    println!("ended after {:?}", begin.elapsed());

    assert!(begin.elapsed() < Duration::from_secs(3));
    assert_eq!(requests.await?, (Some(StatusCode::OK), Some(StatusCode::SERVICE_UNAVAILABLE)));
    assert!(reqwest::get(url).await.is_err(), "the server accepts no more requests");
    Ok(())
}

/// Sends two requests at once.
async fn requests(url: String) -> (Option<StatusCode>, Option<StatusCode>) {
    let send = async |path| {
        let begin = Instant::now();
        let answer = reqwest::get(format!("{url}/{path}")).await.ok()?;
        println!("/{path}: {} after {:?}", answer.status(), begin.elapsed());
        Some(answer.status())
    };
    tokio::join!(send("work"), send("ask"))
}
