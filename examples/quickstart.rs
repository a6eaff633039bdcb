//! The tour: five ways to retry, against a real Redis that is killed, restarted and filled with the wrong type.
//!
//! `./x demo` runs it; with `REDIS_URL` set it uses that server, and leaves out the part that kills it.

mod server;

use std::{
    env,
    time::{Duration, Instant},
};

use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, KeysInterface, ListInterface},
    types::{Builder, config::Config, config::Options},
};
use retry_runtime::{
    Backoff, Composite, Constant, ErrorClass, Exponential, Failure, On, RetryPolicy, Wait,
    retryable,
};

use crate::server::Server;

const KEY: &str = "retry-toolkit:demo:list";
const PUSH: RetryPolicy<Constant> = RetryPolicy::constant(Duration::from_millis(500)).retries(8);

/// One connection attempt per call, so that fred itself never repeats a command.
fn at_most_once(client: &Client) -> fred::clients::WithOptions<Client> {
    client.with_options(&Options {
        max_attempts: Some(1),
        timeout: Some(Duration::from_millis(400)),
        ..Options::default()
    })
}

fn say(failure: &Failure<'_, Error>) {
    println!(
        "  {:>5} ms  attempt {} failed: {:?}; next in {} ms",
        failure.elapsed().as_millis(),
        failure.attempt(),
        failure.error().map_or(ErrorClass::NONE, ErrorClass::of),
        failure.delay().as_millis(),
    );
}

// 1. The decorator. The demo accepts that a push whose reply was lost happens twice: `on` says so.
#[retryable(policy = PUSH, on = ErrorClass::CONNECTION | ErrorClass::TIMEOUT, on_failure = |failure| say(failure))]
async fn push_values(client: &Client) -> Result<i64, Error> {
    at_most_once(client).lpush(KEY, vec![1, 2, 3]).await
}

// 2. The repair. The hook borrows the function's arguments.
#[retryable(
    policy = constant(delay = "100ms", retries = 1),
    on = ErrorClass::WRONG_TYPE,
    on_failure = async |failure| {
        say(failure);
        client.del::<(), _>(KEY).await?;
        println!("            repaired: deleted the key");
        Ok::<(), Error>(())
    },
)]
async fn push_or_replace(client: &Client) -> Result<i64, Error> {
    at_most_once(client).lpush(KEY, vec![1, 2, 3]).await
}

// 3. The composite: anything twice, a lost connection five times.
type ByClass =
    Composite<On<RetryPolicy<Constant>, ErrorClass>, On<RetryPolicy<Exponential>, ErrorClass>>;
const BY_CLASS: ByClass = Composite::new(
    RetryPolicy::constant(Duration::from_millis(200)).retries(2).on(ErrorClass::ANY),
    RetryPolicy::exponential()
        .base_delay(Duration::from_millis(50))
        .retries(5)
        .on(ErrorClass::CONNECTION),
);

#[retryable(policy = BY_CLASS, on_failure = |failure| say(failure))]
async fn push_by_class(client: &Client) -> Result<i64, Error> {
    at_most_once(client).lpush(KEY, vec![4]).await
}

// 4. A backoff of one's own.
#[derive(Debug, Clone, Copy)]
struct RandomBackoff {
    max_delay: Duration,
}

impl Backoff for RandomBackoff {
    fn delay(&self, wait: &mut Wait<'_>) -> Duration {
        wait.between(Duration::ZERO..=self.max_delay)
    }
}

const RANDOM: RetryPolicy<RandomBackoff> =
    RetryPolicy::new(RandomBackoff { max_delay: Duration::from_millis(300) }).retries(3);

#[retryable(policy = RANDOM, on = ErrorClass::ANY, on_failure = |failure| say(failure))]
async fn push_with_random_waits(client: &Client) -> Result<i64, Error> {
    at_most_once(client).lpush(KEY, vec![5]).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut own = if env::var_os("REDIS_URL").is_some() { None } else { Some(Server::start()?) };
    let url = match &own {
        Some(server) => server.url(),
        None => env::var("REDIS_URL")?,
    };
    println!("Redis at {url}");
    let client = Builder::from_config(Config::from_url(&url)?)
        .set_policy(fred::types::config::ReconnectPolicy::new_constant(0, 200))
        .build()?;
    client.init().await?;
    client.del::<(), _>(KEY).await?;

    match &mut own {
        Some(server) => survive_a_restart(&client, server).await?,
        None => println!("\n1. Left out: this server is not ours to kill"),
    }

    println!("\n2. Repair: the key holds a string, the hook deletes it");
    client.set::<(), _, _>(KEY, "not a list", None, None, false).await?;
    println!("  pushed; the list holds {} values", push_or_replace(&client).await?);

    println!("\n3. Composite: the wrong type is retried twice, by the member for any error");
    client.set::<(), _, _>(KEY, "not a list", None, None, false).await?;
    report(push_by_class(&client).await);

    println!("\n4. A backoff of one's own: random waits of up to 300 ms");
    report(push_with_random_waits(&client).await);

    println!("\n5. The closure form of 2");
    let length: i64 = PUSH
        .retry(|| async { at_most_once(&client).lpush(KEY, vec![1, 2, 3]).await })
        .on(ErrorClass::WRONG_TYPE)
        .on_failure(async |failure| {
            say(failure);
            client.del::<(), _>(KEY).await
        })
        .await?;
    println!("  pushed; the list holds {length} values");

    client.del::<(), _>(KEY).await?;
    client.quit().await?;
    Ok(())
}

async fn survive_a_restart(
    client: &Client,
    server: &mut Server,
) -> Result<(), Box<dyn std::error::Error>> {
    println!("\n1. Decorator: the server is killed, and comes back while the call is retried");
    server.kill()?;
    let begin = Instant::now();
    let (pushed, restarted) = tokio::join!(push_values(client), async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        println!("  {:>5} ms  the server comes back", begin.elapsed().as_millis());
        server.restart()
    });
    restarted?;
    println!("  {:>5} ms  pushed; the list holds {} values", begin.elapsed().as_millis(), pushed?);
    Ok(())
}

fn report(result: Result<i64, Error>) {
    match result {
        Ok(length) => println!("  pushed; the list holds {length} values"),
        Err(error) => println!("  gave up with the operation's own error: {error}"),
    }
}
