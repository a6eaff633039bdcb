//! An HTTP client that honours `Retry-After`: your own error enum says what each answer means.
//!
//! `#[retryable]` asks the error three questions: is it safe to repeat the request, how long does the server want to be
//! left alone, and what does the retry cost. After an unknown outcome it repeats only an idempotent request.
//! The call ends if the server asks for over five seconds more than the policy would wait; `max_hint` changes that.

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    http::HeaderValue,
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use retry_runtime::{
    Aborted, Classify, Disposition, Exponential, RetryPolicy,
    budget::Cost,
    policy::{ByDisposition, Timed},
    retryable,
};

const HTTP: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .retries(3)
    .attempt_timeout(Duration::from_secs(2))
    .deadline(Duration::from_secs(10));

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the server answered {status}")]
    Status { status: StatusCode, retry_after: Option<Duration> },
    #[error("the request failed")]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Aborted(#[from] Aborted),
}

impl Classify for FetchError {
    fn disposition(&self) -> Disposition {
        match self {
            // A server that turns a request away says when to come back. Any other 503 may come from a proxy that lost
            // the connection while the server was working.
            Self::Status { status: StatusCode::TOO_MANY_REQUESTS, .. }
            | Self::Status { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(_) } => {
                Disposition::NotExecuted
            }
            Self::Status { status, .. } if !status.is_server_error() => Disposition::Permanent,
            // No request was sent.
            Self::Transport(error) if error.is_connect() => Disposition::NotExecuted,
            Self::Transport(error) if error.is_builder() => Disposition::Permanent,
            Self::Status { .. } | Self::Transport(_) => Disposition::Unknown,
            Self::Aborted(aborted) => aborted.disposition(),
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Status { status, .. } if status.is_server_error() => "http_5xx",
            Self::Status { .. } => "http_4xx",
            Self::Transport(_) => "transport",
            Self::Aborted(aborted) => aborted.class(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }

    fn cost(&self) -> Cost {
        // A server that turns a request away is alive, and did little work.
        if self.retry_after().is_some() { Cost::Throttling } else { Cost::Transient }
    }
}

/// Sends a request once.
async fn send(request: RequestBuilder) -> Result<String, FetchError> {
    let response = request.send().await?;
    let (status, header) = (response.status(), response.headers().get(RETRY_AFTER));
    if status.is_success() {
        return Ok(response.text().await?);
    }
    Err(FetchError::Status { status, retry_after: header.and_then(delay) })
}

/// Reads seconds or an HTTP date; a date in the past asks for no delay.
fn delay(header: &HeaderValue) -> Option<Duration> {
    let text = header.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok()
}

#[retryable(policy = HTTP, idempotent, on_failure = |failure| println!("  {failure}; next in {:?}", failure.delay()))]
async fn fetch(http: &Client, url: &str) -> Result<String, FetchError> {
    send(http.get(url)).await
}

#[retryable(policy = HTTP, on_failure = |failure| println!("  {failure}; next in {:?}", failure.delay()))]
async fn order(http: &Client, url: &str) -> Result<String, FetchError> {
    send(http.post(url)).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (http, server) = (Client::new(), serve().await?);
    for (path, least) in [("seconds", 1_000), ("date", 500), ("lost", 0)] {
        let begin = Instant::now();
        let answer = fetch(&http, &format!("{server}/{path}")).await?;
        println!("GET /{path}: {answer} after {:?}", begin.elapsed());
        assert!(begin.elapsed() >= Duration::from_millis(least));
    }

    let answer = order(&http, &format!("{server}/seconds")).await?;
    println!("POST /seconds: {answer}; the server had turned it away, so a repeat is safe");
    let error = order(&http, &format!("{server}/lost")).await.unwrap_err();
    println!("POST /lost: {error}; the order may have been taken, so it is not repeated");
    assert_eq!(ORDERS.load(Ordering::Relaxed), 1);
    Ok(())
}

static CALLS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
static ORDERS: AtomicU32 = AtomicU32::new(0);

/// Starts a server that fails the first request to each route; returns its URL.
async fn serve() -> io::Result<String> {
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let take_order = async || {
        ORDERS.fetch_add(1, Ordering::Relaxed);
        StatusCode::BAD_GATEWAY
    };
    let routes = Router::new()
        .route("/seconds", get(async || answer(0, Some("1"))).post(async || answer(1, Some("1"))))
        .route("/date", get(async move || answer(2, Some(&date()))))
        .route("/lost", get(async || answer(3, None)).post(take_order));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(url)
}

fn answer(route: usize, retry_after: Option<&str>) -> Response {
    match (CALLS[route].fetch_add(1, Ordering::Relaxed), retry_after) {
        (0, Some(when)) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, when.to_owned())]).into_response()
        }
        (0, None) => StatusCode::BAD_GATEWAY.into_response(),
        _ => "hello".into_response(),
    }
}
