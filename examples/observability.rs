//! What a client tells while its server is down: the budget empties, and retries stop before they do harm.
//!
//! Serves the metrics as text for Prometheus while it runs; with `--stay` until it is stopped.

mod server;

use std::{io, sync::Arc, time::Duration};

use fred::prelude::*;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, Statistics},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One line for each call that fails for good; `WARN` tells every retry.
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_target(false).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, metrics));
    println!("metrics: http://{address}/metrics");

    let mut server = server::Server::start()?;
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
    for line in
        scrape(&address.to_string()).await?.lines().filter(|line| line.starts_with("retry_"))
    {
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

/// Answers every request with the metrics.
async fn serve(listener: TcpListener, metrics: PrometheusHandle) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await?;
        let text = metrics.render();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        stream.write_all(format!("{head}{text}").as_bytes()).await?;
    }
}

async fn scrape(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
