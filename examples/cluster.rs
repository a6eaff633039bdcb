//! A cluster: every command goes to the owner of its key, and waits for an owner that is away.

use std::{error::Error, time::Duration};

use fred::{
    prelude::*,
    types::{ClusterHash, CustomCommand},
};
use retry_runtime::{RetryPolicy, fred::RetryClient};
use retry_server::{Server, free_port};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut nodes = start_cluster().await?;
    let url = nodes[0].url().replace("redis://", "redis-cluster://");
    let patient = RetryPolicy::exponential()
        .base_delay(Duration::from_millis(100))
        .max_delay(Duration::from_secs(1))
        .retries(30);
    let client = RetryClient::connect(Config::from_url(&url)?, patient).await?;

    for number in 0..6 {
        client.incr::<(), _>(format!("visits:{number}")).await?;
    }
    println!("6 counters on 3 nodes, each counted once whatever happens");

    nodes[1].kill()?;
    nodes[1].restart()?;
    for number in 0..6 {
        client.set::<(), _, _>(format!("page:{number}"), number, None, None, false).await?;
    }
    println!("6 pages set, though one of the nodes was restarted");

    let pipeline = client.pipeline();
    for number in 0..6 {
        pipeline.get::<(), _>(format!("page:{number}")).await?;
    }
    let pages: Vec<i64> = pipeline.all().await?;
    println!("{pages:?}, read from all nodes at once");
    Ok(())
}

/// Starts three nodes and shares the slots among them.
async fn start_cluster() -> Result<Vec<Server>, Box<dyn Error>> {
    let mut nodes = Vec::new();
    for (first, last) in [("0", "5460"), ("5461", "10922"), ("10923", "16383")] {
        let bus = free_port()?.to_string();
        let node = Server::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])?;
        cluster(&node, &["ADDSLOTSRANGE", first, last]).await?;
        let port = node.port().to_string();
        cluster(nodes.first().unwrap_or(&node), &["MEET", "127.0.0.1", &port, &bus]).await?;
        nodes.push(node);
    }
    for node in &nodes {
        let agreed = RetryPolicy::constant(Duration::from_millis(100))
            .retries(300)
            .retry(|| cluster(node, &["INFO"]))
            .on_ok(|info: &String| !info.contains("cluster_state:ok"))
            .await?;
        assert!(agreed.contains("cluster_state:ok"), "the nodes do not agree: {agreed}");
    }
    Ok(nodes)
}

/// Sends a command about the cluster to one node.
async fn cluster(node: &Server, words: &[&str]) -> FredResult<String> {
    let client = Builder::from_config(Config::from_url(&node.url())?).build()?;
    client.init().await?;
    let command = CustomCommand::new_static("CLUSTER", ClusterHash::Random, false);
    let answer = client.custom(command, words.to_vec()).await?;
    client.quit().await?;
    Ok(answer)
}
