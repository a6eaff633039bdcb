//! The tour that `./x demo` runs: a lost reply and an outage of Redis, with this crate and with fred alone; then the same
//! protection for your own functions.

use std::{
    io,
    time::{Duration, Instant},
};

use fred::prelude::*;
use retry_runtime::{
    Classify, RetryPolicy,
    fred::RetryClient,
    retryable,
    testing::{Fault, FaultProxy},
};
use retry_server::Server;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

/// The client has fred's commands, and retries each under one policy.
async fn connect(url: &str) -> FredResult<RetryClient> {
    let policy = RetryPolicy::exponential().base_delay(Duration::from_millis(100)).retries(9);
    RetryClient::connect_url(url, policy).await
}

/// The proxy forwards commands, and loses replies.
async fn lose_replies(proxy: &FaultProxy) -> FredResult<()> {
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let client = connect(&url).await?;
    let fred = Builder::from_config(Config::from_url(&url)?)
        .set_policy(ReconnectPolicy::new_constant(0, 100))
        .build()?;
    fred.init().await?;

    proxy.inject("INCR", Fault::LoseReply, 2);
    let answer = fred.incr::<i64, _>("visits:fred").await;
    let counted: i64 = client.get("visits:fred").await?;
    println!("   fred alone: {answer:?}\n               counted {counted} times");
    assert_eq!(counted, 3);

    proxy.inject("INCR", Fault::LoseReply, 2);
    let error = client.incr::<i64, _>("visits:retried").await.unwrap_err();
    let counted: i64 = client.get("visits:retried").await?;
    println!("   this crate: Err({error}), outcome {:?}", error.disposition());
    println!("               counted {counted} time: a repeat could count the visit twice");
    assert_eq!(counted, 1);
    proxy.clear();

    let before = proxy.sent("SET");
    proxy.inject("SET", Fault::LoseReply, 2);
    client.set::<(), _, _>("greeting", "hello", None, None, false).await?;
    let sent = proxy.sent("SET") - before;
    println!("               `SET` was sent {sent} times and succeeded: a repeat does no harm");
    assert_eq!(sent, 3);
    client.quit().await?;
    fred.quit().await
}

/// Without a connection no command is sent, so it is safe to retry any of them.
async fn survive_an_outage(client: &RetryClient, server: &mut Server) -> io::Result<()> {
    server.kill()?;
    sleep(Duration::from_millis(100)).await; // until the client notices
    let begin = Instant::now();
    let visit = async { client.incr::<i64, _>("visits").await.map_err(io::Error::other) };
    let outage = async {
        sleep(Duration::from_secs(1)).await;
        server.restart()
    };
    let (visits, ()) = tokio::try_join!(visit, outage)?;
    println!("   visit {visits}, after {:?}: it had not been sent before", begin.elapsed());
    assert_eq!(visits, 1, "the new server starts at zero");
    Ok(())
}

/// A function of your own: the error says whether a repeat is safe.
#[retryable(
    policy = exponential(base_delay = "50ms", retries = 9, deadline = "5s"),
    on_failure = |failure| println!("   {failure}; next in {:?}", failure.delay()),
)]
async fn ping(port: u16) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    stream.write_all(b"PING\r\n").await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;

    println!("1. The client");
    let client = connect(&server.url()).await?;
    client.set::<(), _, _>("greeting", "hello", None, None, false).await?;
    let visits: i64 = client.incr("visits").await?;
    println!("   visit {visits}, in Redis at {}", server.url());

    println!("\n2. The server counts a visit, and its reply is lost, twice in a row");
    lose_replies(&proxy).await?;

    println!("\n3. The server is killed, and comes back after a second");
    survive_an_outage(&client, &mut server).await?;

    println!("\n4. The attribute, on a function of your own, while the server is down again");
    server.kill()?;
    let port = server.port();
    let outage = async {
        sleep(Duration::from_millis(300)).await;
        server.restart()
    };
    let (answer, ()) = tokio::try_join!(ping(port), outage)?;
    println!("   answer: {}", answer.trim());
    assert_eq!(answer.trim(), "+PONG");
    Ok(())
}
