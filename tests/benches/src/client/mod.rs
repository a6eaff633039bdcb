//! The client that retries every command, beside fred as it is.

pub mod faults;
pub mod rounds;

use std::time::Duration;

use fred::{
    clients::{Client, Pipeline, WithOptions},
    error::Error,
    interfaces::{ClientLike, FredResult, KeysInterface},
    types::{
        Builder,
        config::{Config, Options, ReconnectPolicy},
    },
};
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, WithRetry},
};

/// How many commands go into a pipeline.
pub const PIPELINE: usize = 10;

/// How long an attempt may take, whoever makes it.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a client that connects to a port on the loopback interface.
///
/// # Errors
///
/// Returns what fred says about its settings.
pub fn build(port: u16) -> FredResult<Client> {
    let config = Config::from_url(&format!("redis://127.0.0.1:{port}"))?;
    let mut builder = Builder::from_config(config);
    builder.set_policy(ReconnectPolicy::new_exponential(0, 10, 500, 2));
    builder.build()
}

/// The options of one attempt.
pub fn one_attempt(timeout: Duration) -> Options {
    Options { max_attempts: Some(1), timeout: Some(timeout), ..Options::default() }
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// One `GET` after the other.
    Get,
    /// One `SET` after the other.
    Set,
    /// Ten `GET` at once.
    Pipeline,
}

impl Load {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Get, Self::Set, Self::Pipeline];

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Pipeline => "pipeline of 10 GET",
        }
    }
}

/// Whoever sends a load.
pub trait Sends: Clone + Send + Sync + 'static {
    /// Sends it once.
    fn send(&self, load: Load) -> impl Future<Output = FredResult<()>> + Send;
}

/// fred with the options of a single attempt on every command.
#[derive(Debug, Clone)]
pub struct Bare {
    client: Client,
    options: Options,
}

impl Bare {
    /// Sends by this client.
    pub fn new(client: Client) -> Self {
        Self { client, options: one_attempt(TIMEOUT) }
    }

    fn client(&self) -> WithOptions<Client> {
        self.client.with_options(&self.options)
    }
}

impl Sends for Bare {
    async fn send(&self, load: Load) -> Result<(), Error> {
        match load {
            Load::Get => self.client().get("key").await,
            Load::Set => self.client().set("key", "value", None, None, false).await,
            Load::Pipeline => {
                let pipeline = Pipeline::from(self.client());
                for _ in 0..PIPELINE {
                    let () = pipeline.get("key").await?;
                }
                let _: Vec<String> = pipeline.all().await?;
                Ok(())
            }
        }
    }
}

/// Makes the client that retries, on the connection of another.
pub fn retrying(client: Client) -> RetryClient {
    client.with_retry(RetryPolicy::exponential())
}

impl Sends for RetryClient {
    async fn send(&self, load: Load) -> Result<(), Error> {
        match load {
            Load::Get => self.get("key").await,
            Load::Set => self.set("key", "value", None, None, false).await,
            Load::Pipeline => {
                let pipeline = self.pipeline();
                for _ in 0..PIPELINE {
                    let () = pipeline.get("key").await?;
                }
                let _: Vec<String> = pipeline.all().await?;
                Ok(())
            }
        }
    }
}
