//! Optimistic locking: a transaction that is made again when a key changed that it was based on.

use std::{future::Future, sync::Arc};

use ::fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult},
    types::{
        ClusterHash, ConnectHandle, CustomCommand, FromValue, MultipleKeys, Value, config::Options,
    },
};

use tokio::time::{Instant, timeout};

use super::{
    attempts::{DISCONNECTED, SHORTEST},
    client::{DEFAULT_ATTEMPT_TIMEOUT, Direct, RetryClient, Settings},
    commands::{Command, Commands},
    connection::{Connection, too_slow},
    hooks::Hooks,
    judge::Failed,
    pipeline::as_command,
    replay::Replay,
    target::Target,
    transaction::{RetryTransaction, execute},
};
use crate::{Classify, Disposition, fred::Consent};

/// A connection that nobody else uses, and that fred never replaces: with it the watched keys would be forgotten.
#[derive(Debug)]
pub(super) struct Dedicated {
    client: Client,
    task: ConnectHandle,
}

impl Dedicated {
    async fn connect<C: Target>(client: &C) -> FredResult<Self> {
        let config = client.client_config();
        let connection = client.connection_config().clone();
        let client = Client::new(config, Some(client.perf_config()), Some(connection), None);
        let task = client.init().await?;
        Ok(Self { client, task })
    }

    pub(super) fn is_lost(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        // fred drives a connection until it is told to quit, even one that nobody can use any more.
        self.task.abort();
    }
}

/// Connections between two transactions.
pub(super) type Idle = std::sync::Mutex<Vec<Dedicated>>;

impl<C: Target> Commands<Direct<'_, C>> {
    /// Executes a transaction that is based on the values of `watches`, and makes it again if one of them changed.
    ///
    /// `body` reads the keys through its first argument, and queues commands in its second; it is called once per
    /// attempt, so it should do nothing else.
    /// The answers of the queued commands are the result.
    ///
    /// A change counts as an error of the class [`WATCH`](super::ErrorClass::WATCH) that is retried under the policy.
    /// A round uses a connection of its own, which is kept for the next one; if it is lost in between, the round
    /// starts again with the watches, because the server forgets them with the connection.
    /// A deadline limits the commands of the body, not what it does besides.
    ///
    /// ```no_run
    /// use fred::prelude::*;
    /// use retry_runtime::fred::RetryClient;
    ///
    /// # async fn example(client: RetryClient) -> FredResult<()> {
    /// let (left,): (i64,) = client
    ///     .transaction("balance", |watched, multi| async move {
    ///         let balance: i64 = watched.get("balance").await?;
    ///         if balance < 10 {
    ///             return Err(Error::new(ErrorKind::Unknown, "too little is left"));
    ///         }
    ///         multi.decr_by::<(), _>("balance", 10).await
    ///     })
    ///     .await?;
    /// # let _ = left;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error of the body as soon as it makes one, unless the connection was lost or the server refused a
    /// command for a reason that may pass; else the error of the last attempt.
    pub async fn transaction<R, K, F, Fut>(&self, watches: K, body: F) -> FredResult<R>
    where
        R: FromValue,
        K: Into<MultipleKeys> + Send,
        F: Fn(RetryClient, RetryTransaction) -> Fut + Send + Sync,
        Fut: Future<Output = FredResult<()>> + Send,
    {
        let keys: Vec<Value> = watches.into().inner().into_iter().map(Value::from).collect();
        if keys.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "At least one key is to be watched.",
            ));
        }
        let direct = self.sender();
        // What a repeat would do is decided in the round, which knows what was sent.
        let command = Command::new("transaction", Replay::Opaque);
        let attempt = |client: super::client::Once<C>| {
            let options = client.options().clone();
            direct.round(options, &keys, &body)
        };
        direct.run(command, attempt).await?.convert()
    }
}

impl<C: Target> Direct<'_, C> {
    /// Makes one attempt: nothing is executed before `EXEC`.
    async fn round<F, Fut>(
        &self,
        mut options: Options,
        keys: &[Value],
        body: &F,
    ) -> Result<Value, Failed>
    where
        F: Fn(RetryClient, RetryTransaction) -> Fut + Send + Sync,
        Fut: Future<Output = FredResult<()>> + Send,
    {
        let begin = Instant::now();
        let limit = options.timeout.unwrap_or(DEFAULT_ATTEMPT_TIMEOUT);
        let mut dedicated = match self.connection.take_idle() {
            Some(dedicated) => dedicated,
            None => timeout(limit, Dedicated::connect(&self.client))
                .await
                .unwrap_or_else(|_| Err(too_slow()))
                .map_err(Failed::Open)?,
        };
        if self.needs_slot()
            && let Some(slot) = keys.first().and_then(slot)
        {
            options.cluster_hash = Some(slot);
        }
        let watched: RetryClient = Commands::new(Direct {
            connection: Connection::of(&dedicated.client),
            members: [dedicated.client.clone()].into(),
            client: dedicated.client.clone(),
            settings: Arc::new(Settings::without_retries(options)),
            budgets: None,
            counters: Arc::default(),
            consent: Consent::AtMostOnce,
            hooks: Hooks::default(),
        });
        let multi = watched.multi();
        let prepare = async {
            let watch = CustomCommand::new_static("WATCH", ClusterHash::FirstKey, false);
            let _: Value = watched.custom(watch, keys.to_vec()).await?;
            Ok(body(watched.clone(), multi.clone()).await)
        };
        let prepared: FredResult<FredResult<()>> = tokio::select! {
            biased;
            prepared = prepare => prepared,
            _ = &mut dedicated.task => Err(lost()),
        };
        match prepared.map_err(Failed::Open)? {
            Err(error) if dedicated.is_lost() => return Err(Failed::Open(error)),
            Err(error)
                if error.disposition() == Disposition::NotExecuted
                    || DISCONNECTED.matches(&error) =>
            {
                return Err(Failed::Open(error));
            }
            Err(error) => return Err(Failed::Closed(error)),
            // The server has forgotten the watches.
            Ok(()) if dedicated.is_lost() => return Err(Failed::Open(lost())),
            Ok(()) => {}
        }
        let queued = multi.sender().queue.snapshot();
        if queued.is_empty() {
            return Ok(Value::Array(Vec::new()));
        }
        let safe = self.consent.covers(as_command(&queued).replay);
        let mut options = watched.sender().settings.options.clone();
        if self.settings.limits.deadline.is_some() {
            // What the body left of it.
            options.timeout = Some(limit.saturating_sub(begin.elapsed()).max(SHORTEST));
        }
        let client = dedicated.client.with_options(&options);
        let mut is_done = true;
        let result = match execute(client, &queued, false, safe).await {
            Ok(Value::Null) => {
                let changed = Error::new(ErrorKind::Canceled, "A watched key changed.");
                Err(Failed::Open(changed))
            }
            // The pipeline as a whole failed: sent or not, nobody knows.
            Err(Failed::Sent(error)) => {
                is_done = false;
                let open = safe || error.disposition() != Disposition::Unknown;
                Err(if open { Failed::Open(error) } else { Failed::Closed(error) })
            }
            result => result,
        };
        if is_done && !dedicated.is_lost() && !matches!(&result, Err(Failed::Closed(_))) {
            self.connection.keep_idle(dedicated);
        }
        result
    }
}

fn slot(key: &Value) -> Option<ClusterHash> {
    key.as_bytes().map(|key| ClusterHash::Custom(::fred::util::redis_keyslot(key)))
}

fn lost() -> Error {
    Error::new(ErrorKind::IO, "The connection was lost between WATCH and EXEC.")
}
