//! Metrics, logs and counts before, during and after an outage.
//!
//! During it the client holds commands back. Their retries are free: they do not load the server.
//! Serves the metrics for Prometheus while it runs; with `--stay` until you stop it.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use fred::prelude::*;
use metrics_exporter_prometheus::PrometheusBuilder;
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, Statistics},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A line for each call that fails. `WARN` adds a line for each retry.
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_target(false).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/metrics", listener.local_addr()?);
    let routes = Router::new().route("/metrics", get(async move || metrics.render()));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    println!("metrics: {url}");

    let mut server = retry_server::Server::start()?;
    let policy = RetryPolicy::exponential()
        .base_delay(Duration::from_millis(10))
        .retries(20)
        .attempt_timeout(Duration::from_millis(50));
    let client = RetryClient::connect(Config::from_url(&server.url())?, policy).await?;
    load(&client).await;
    tell("before the outage", &client.statistics());

    server.kill()?;
    let _ = timeout(Duration::from_secs(2), load(&client)).await;
    tell("in the outage", &client.statistics());

    server.restart()?;
    while client.ping::<()>(None).await.is_err() {
        sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..5 {
        load(&client).await;
    }
    tell("after it", &client.statistics());

    println!("\nwhat Prometheus sees:");
    let text = reqwest::get(url).await?.text().await?;
    for line in text.lines().filter(|line| line.starts_with("retry_")) {
        println!("  {line}");
    }
    if std::env::args().any(|argument| argument == "--stay") {
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// A hundred reads, a few at a time, whether they succeed or not.
async fn load(client: &RetryClient) {
    let client = Arc::new(client.clone());
    for _ in 0..20 {
        let reads = (0..5).map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.get::<Option<String>, _>("key").await })
        });
        for read in reads.collect::<Vec<_>>() {
            let _ = read.await;
        }
    }
}

fn tell(when: &str, statistics: &Statistics) {
    let level = statistics.budgets.first().map_or(0, |(_, budget)| budget.level);
    println!(
        "{when}: budget {level}, {} retries, {} calls recovered, {} failed, {} of them refused by the budget",
        statistics.retries, statistics.recovered, statistics.failed, statistics.refused_by_budget
    );
}
