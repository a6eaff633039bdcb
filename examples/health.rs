//! A health page that shows the state of the client, its budget and its circuit breaker.
//!
//! The page sends nothing to Redis: otherwise it would hang together with Redis, and add load to a server in trouble.
//! Use it as a readiness probe, which takes the service out of rotation. As a liveness probe it would restart the
//! service, and that does not repair Redis.

use std::time::Duration;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use fred::prelude::*;
use retry_runtime::{
    Budget, CircuitBreaker, RetryPolicy, breaker::CircuitState, fred::RetryClient,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

#[derive(Debug, Clone)]
struct Service {
    redis: RetryClient,
    breaker: CircuitBreaker,
    budget: Budget,
}

impl Service {
    async fn connect(url: &str) -> Result<Self, Box<dyn std::error::Error>> {
        // Logs and metrics show these names. The times are short, so that the example is.
        let breaker = CircuitBreaker::builder()
            .name("redis")
            .minimum_calls(10)
            .open_for(Duration::from_millis(500))
            .build()?;
        let budget = Budget::builder().name("redis").build()?;
        let policy = RetryPolicy::exponential()
            .base_delay(Duration::from_millis(20))
            .attempt_timeout(Duration::from_millis(50))
            .breaker(&breaker)
            .budget(&budget);
        Ok(Self { redis: RetryClient::connect_url(url, policy).await?, breaker, budget })
    }
}

async fn health(State(service): State<Service>) -> (StatusCode, Json<Value>) {
    let breaker = service.breaker.statistics();
    let budget = service.budget.statistics();
    let commands = service.redis.statistics();
    let status = match breaker.state {
        CircuitState::Closed => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let page = json!({ "redis": {
        "connected": service.redis.fred().is_connected(),
        "breaker": {
            "state": breaker.state.as_str(),
            "opened": breaker.opened,
            "rejected": breaker.rejected,
        },
        "budget": { "level": budget.level, "capacity": budget.capacity, "refused": budget.refused },
        "commands": {
            "failed_once": commands.failed_once,
            "retries": commands.retries,
            "recovered": commands.recovered,
            "failed": commands.failed,
        },
    }});
    (status, Json(page))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let service = Service::connect(&server.url()).await?;
    let routes = Router::new().route("/health", get(health)).with_state(service.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/health", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });

    load(&service).await;
    assert_eq!(look(&url).await?, StatusCode::OK);

    println!("Redis is killed");
    server.kill()?;
    while service.breaker.state() == CircuitState::Closed {
        load(&service).await;
    }
    assert_eq!(look(&url).await?, StatusCode::SERVICE_UNAVAILABLE);

    println!("Redis is back");
    server.restart()?;
    while service.breaker.state() != CircuitState::Closed {
        sleep(Duration::from_millis(100)).await;
        load(&service).await;
    }
    assert_eq!(look(&url).await?, StatusCode::OK);
    Ok(())
}

/// Sends some reads, and ignores their failures.
async fn load(service: &Service) {
    for _ in 0..5 {
        let _ = service.redis.get::<Option<String>, _>("key").await;
    }
}

async fn look(url: &str) -> reqwest::Result<StatusCode> {
    let answer = reqwest::get(url).await?;
    let status = answer.status();
    println!("{status}: {}", answer.text().await?);
    Ok(status)
}
