//! Optimistic locking: a transaction that is made again when a key changed that it was based on.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult},
    types::{
        ClusterHash, ConnectHandle, CustomCommand, FromValue, MultipleKeys, Value,
        config::{Config, Options, Server, ServerConfig},
    },
};

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    ErrorClass,
    attempts::{DISCONNECTED, SHORTEST},
    client::{DEFAULT_ATTEMPT_TIMEOUT, Direct, RetryClient, Settings},
    commands::{Command, Commands},
    connection::{Connection, LONGEST_CONNECT, too_slow},
    hooks::Hooks,
    judge::Failed,
    pipeline::as_command,
    replay::Replay,
    target::Target,
    transaction::{RetryTransaction, execute},
    watch::{LONGEST_ANSWER, LOOK},
};
use crate::{
    failure::{
        aborted::Aborted,
        classify::{Classify, Disposition},
    },
    fred::Consent,
};

/// A connection that nobody else uses, and that fred never replaces: with it the watched keys would be forgotten.
#[derive(Debug)]
pub(super) struct Dedicated {
    client: Client,
    task: ConnectHandle,
    /// The node of a cluster that it leads to, and to no other.
    pub(super) node: Option<Server>,
}

impl Dedicated {
    /// Connects within the limit, to one node of a cluster if that is known, and tries again soon where the other end
    /// took the connection and does not answer.
    async fn connect<C: Target>(
        client: &C,
        node: Option<&Server>,
        limit: Duration,
    ) -> FredResult<Self> {
        let end = Instant::now() + limit;
        let mut patience = LONGEST_ANSWER;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match Self::try_connect(client, node, patience.min(left)).await {
                Err(error) if ErrorClass::TIMEOUT.matches(&error) && patience < left => {
                    patience *= 2;
                }
                result => return result,
            }
        }
    }

    /// Connects within the limit; whoever stops waiting leaves nothing behind.
    async fn try_connect<C: Target>(
        client: &C,
        node: Option<&Server>,
        limit: Duration,
    ) -> FredResult<Self> {
        let mut config = client.client_config();
        if let Some(node) = node {
            config =
                Config { server: ServerConfig::Centralized { server: node.clone() }, ..config };
        }
        let mut connection = client.connection_config().clone();
        // Whoever waits for the connection has a limit of its own, but fred tries several addresses one after the
        // other, and the first may be that of a server that hangs.
        connection.internal_command_timeout = match config.server.hosts().len() {
            0 | 1 => connection.internal_command_timeout.max(LONGEST_CONNECT),
            _ => limit / 2,
        };
        let client = Client::new(config, Some(client.perf_config()), Some(connection), None);
        let mut connected = client.inner().notifications.connect.load().subscribe();
        // fred's task is ours before anything is awaited that may be cut short.
        let task = client.connect();
        let mut dedicated = Self { client, task, node: node.cloned() };
        let connected = async {
            tokio::select! {
                biased;
                connected = connected.recv() => connected?,
                ended = &mut dedicated.task => {
                    ended.map_err(|_| lost()).and_then(|ended| ended).and(Err(lost()))
                }
            }
        };
        timeout(limit, connected).await.unwrap_or_else(|_| Err(too_slow()))?;
        Ok(dedicated)
    }

    /// Returns the client of a body, whose commands are sent once.
    fn watched(&self, options: Options, timeout: Option<Duration>) -> RetryClient {
        Commands::new(Direct {
            connection: Connection::dedicated(&self.client),
            members: [self.client.clone()].into(),
            client: self.client.clone(),
            settings: Arc::new(Settings::without_retries(options, timeout)),
            budgets: None,
            counters: Arc::default(),
            consent: Consent::AtMostOnce,
            hooks: Hooks::default(),
            is_apart: false,
        })
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
    /// A round uses a connection of its own, which is kept for the next one, and which may take ten seconds to make
    /// however short the attempts are.
    /// If it is lost before `EXEC`, the round starts again, because the server forgets the watches with the connection.
    /// On a cluster it leads to the node that owns the first key, so all keys of the body live there.
    /// An attempt timeout limits each command of the body; a deadline aborts the body wherever it is, and nothing is
    /// executed.
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
        let direct = Direct { is_apart: true, ..self.sender().clone() };
        // What a repeat would do is decided in the round, which knows what was sent.
        let command = Command::new("transaction", Replay::Opaque);
        let deadline = direct.settings.limits.deadline;
        let deadline = deadline.and_then(|limit| Instant::now().checked_add(limit));
        let attempt = |client: super::client::Once<C>| {
            let options = client.options().clone();
            // The future of the caller stays small.
            Box::pin(direct.round(options, deadline, &keys, &body))
        };
        direct.run(command, attempt).await?.convert()
    }
}

impl<C: Target> Direct<'_, C> {
    /// Makes one attempt: nothing is executed before `EXEC`.
    async fn round<F, Fut>(
        &self,
        mut options: Options,
        deadline: Option<Instant>,
        keys: &[Value],
        body: &F,
    ) -> Result<Value, Failed>
    where
        F: Fn(RetryClient, RetryTransaction) -> Fut + Send + Sync,
        Fut: Future<Output = FredResult<()>> + Send,
    {
        let limit = self.settings.options.timeout.unwrap_or(DEFAULT_ATTEMPT_TIMEOUT);
        let left = |limit: Duration| {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            left.map_or(limit, |left| limit.min(left.max(SHORTEST)))
        };
        if self.needs_slot()
            && let Some(slot) = keys.first().and_then(slot)
        {
            options.cluster_hash = Some(slot);
        }
        let home = Home::new(self, &options);
        let mut dedicated = match self.connection.take_idle(home.node().as_ref()) {
            Some(dedicated) => dedicated,
            // A connection takes several times as long as a command.
            None => home.connect(left(limit.max(LONGEST_CONNECT))).await.map_err(Failed::Open)?,
        };
        if dedicated.node.is_some() {
            (options.cluster_hash, options.cluster_node) = (None, None);
        }
        options.timeout = Some(left(limit));
        let given = self.settings.timeout.map(left);
        let watched = dedicated.watched(options, given);
        let multi = watched.multi();
        let prepare = async {
            let watch = CustomCommand::new_static("WATCH", ClusterHash::FirstKey, false);
            let watching: FredResult<Value> = watched.custom(watch, keys.to_vec()).await;
            if let Err(error) = watching {
                home.heed(&error, dedicated.node.as_ref(), &keys[0]).await;
                return Err(error);
            }
            Ok(body(watched.clone(), multi.clone()).await)
        };
        let prepared = async {
            tokio::select! {
                biased;
                prepared = prepare => prepared,
                _ = &mut dedicated.task => Err(lost()),
            }
        };
        // Nothing is executed yet, so the body may be aborted wherever it is.
        let prepared: FredResult<FredResult<()>> = match (deadline, self.settings.limits.deadline) {
            (Some(end), Some(limit)) => timeout_at(end, prepared)
                .await
                .unwrap_or_else(|_| Err(Error::from(Aborted::Deadline(limit)))),
            _ => prepared.await,
        };
        let is_read_only = |error: &Error| ErrorClass::READ_ONLY.contains(ErrorClass::of(error));
        if let Ok(Err(error)) = &prepared
            && is_read_only(error)
        {
            self.connection.forget_idle();
        }
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
        // What the body left of the deadline.
        options.timeout = Some(left(limit));
        let client = dedicated.client.with_options(&options);
        let (mut is_done, leads_elsewhere) = (true, AtomicBool::new(false));
        let heed = |refusal: &Error| {
            leads_elsewhere.fetch_or(is_read_only(refusal), Ordering::Relaxed);
        };
        let result = match execute(client, &queued, false, safe, heed).await {
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
        if leads_elsewhere.into_inner() {
            self.connection.forget_idle();
        } else if is_done && !dedicated.is_lost() && !matches!(&result, Err(Failed::Closed(_))) {
            self.connection.keep_idle(dedicated);
        }
        result
    }
}

/// Where the keys of a round live.
struct Home<'a, 'h, C> {
    direct: &'a Direct<'h, C>,
    /// The connection of the client that knows.
    index: usize,
    /// The slot on a cluster, if there is one.
    slot: Option<u16>,
    /// The node that the caller chose.
    given: Option<Server>,
}

impl<'a, 'h, C: Target> Home<'a, 'h, C> {
    fn new(direct: &'a Direct<'h, C>, options: &Options) -> Self {
        let is_clustered = direct.settings.is_clustered;
        let slot = match options.cluster_hash {
            Some(ClusterHash::Custom(slot)) if is_clustered => Some(slot),
            _ => None,
        };
        let given = options.cluster_node.clone().filter(|_| is_clustered);
        Self { direct, index: direct.connection.choose().unwrap_or(0), slot, given }
    }

    /// Returns the node to connect to, as far as the client knows the cluster.
    ///
    /// A connection to all nodes would wait for each that hangs.
    fn node(&self) -> Option<Server> {
        if self.given.is_some() {
            return self.given.clone();
        }
        let slot = self.slot?;
        let part = self.direct.client.part(self.index);
        let owner = part.inner().with_cluster_state(|state| Ok(state.get_server(slot).cloned()));
        owner.ok().flatten()
    }

    /// Connects within the limit, to another node as soon as the client learns that it has become the owner.
    async fn connect(&self, limit: Duration) -> FredResult<Dedicated> {
        let end = Instant::now() + limit;
        loop {
            let node = self.node();
            let left = end.saturating_duration_since(Instant::now());
            tokio::select! {
                biased;
                connected = Dedicated::connect(&self.direct.client, node.as_ref(), left) => {
                    return connected;
                }
                () = self.moves_from(node.as_ref()) => {}
            }
        }
    }

    /// Waits until another node is the owner, and lets the client find out whether that is so.
    async fn moves_from(&self, node: Option<&Server>) {
        let begin = Instant::now();
        while self.node().as_ref() == node {
            sleep(LOOK).await;
            if self.attempt().is_none_or(|limit| begin.elapsed() > limit) {
                self.suspect(node);
            }
        }
    }

    fn attempt(&self) -> Option<Duration> {
        self.direct.settings.options.timeout
    }

    /// Rounds say nothing about the connections of the client, which may have nothing else to do.
    fn suspect(&self, node: Option<&Server>) {
        if let Some(node) = node {
            let part = self.direct.client.part(self.index);
            let nodes = vec![node.clone()];
            self.direct.connection.suspect(self.index, part, nodes, self.attempt());
        }
    }

    /// Takes from the failure of the first command what it says about the node.
    async fn heed(&self, error: &Error, node: Option<&Server>, key: &Value) {
        if DISCONNECTED.matches(error) {
            self.direct.connection.forget_idle();
            self.suspect(node);
        }
        let Some(slot) = self.slot.filter(|_| ErrorClass::REDIRECT.matches(error)) else { return };
        self.direct.connection.forget_idle();
        // fred asks for the owners again when one of its own commands is redirected.
        let options = Options {
            max_attempts: Some(1),
            timeout: self.attempt(),
            cluster_hash: Some(ClusterHash::Custom(slot)),
            ..Options::default()
        };
        let part = self.direct.client.part(self.index).with_options(&options);
        let command = CustomCommand::new_static("EXISTS", ClusterHash::Custom(slot), false);
        let _ = part.custom::<Value, _>(command, vec![key.clone()]).await;
    }
}

fn slot(key: &Value) -> Option<ClusterHash> {
    key.as_bytes().map(|key| ClusterHash::Custom(::fred::util::redis_keyslot(key)))
}

fn lost() -> Error {
    Error::new(ErrorKind::IO, "The connection was lost between WATCH and EXEC.")
}
