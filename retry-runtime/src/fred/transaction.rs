//! `MULTI` … `EXEC`, sent once per attempt.

use std::{fmt, future::Future, sync::Arc};

use ::fred::{
    clients::{Client, Pipeline},
    error::{Error, ErrorKind},
    interfaces::FredResult,
    types::{ClusterHash, CustomCommand, FromValue, Value},
};

use super::{
    ErrorClass,
    client::{Direct, Once},
    commands::{BlockingTime, Command, Commands, Errors, NotSentinel, Reply, Sender},
    doubt::in_doubt,
    judge::Failed,
    pipeline::{Queue, Queued, as_command, send},
    pulse::Flight,
    target::Target,
};
use crate::failure::classify::{Classify, Disposition};

/// Commands that are queued and then executed together or not at all.
///
/// Made by [`Commands::multi`].
/// fred's own transaction sends `EXEC` again after a lost connection whatever its options say; this one writes
/// `MULTI`, the commands and `EXEC` once per attempt.
///
/// ```no_run
/// use fred::prelude::*;
/// use retry_runtime::fred::RetryClient;
///
/// # async fn example(client: RetryClient) -> FredResult<()> {
/// let transaction = client.multi();
/// transaction.incr::<(), _>("visits").await?;
/// transaction.lpush::<(), _, _>("log", "visited").await?;
/// let (visits, length): (i64, i64) = transaction.exec(false).await?;
/// # Ok(())
/// # }
/// ```
pub type RetryTransaction<C = Client> = Commands<Multi<'static, C>>;

/// Keeps commands until the transaction is executed.
pub struct Multi<'h, C: Target> {
    pub(super) queue: Queue<'h, C>,
}

impl<C: Target> Clone for Multi<'_, C> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<C: Target> fmt::Debug for Multi<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Multi").field("queue", &self.queue).finish()
    }
}

impl<C: Target> Sender for Multi<'_, C> {
    type Client = <Queue<'static, C> as Sender>::Client;

    fn first(&self, _: Command) -> Option<(Self::Client, Flight<'_>)> {
        None
    }

    fn slot(&self, key: impl FnOnce() -> Option<u16>) -> Option<u16> {
        self.queue.slot(key)
    }

    async fn send<T, F, Fut>(
        &self,
        command: Command,
        failed: Option<(Error, Flight<'_>)>,
        attempt: F,
    ) -> FredResult<T>
    where
        T: Reply,
        F: Fn(Self::Client) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<T>> + Send + 'static,
    {
        self.queue.send(command, failed, attempt).await
    }
}

impl<C: Target + NotSentinel> NotSentinel for Multi<'_, C> {}

impl<'h, C: Target> Commands<Direct<'h, C>> {
    /// Starts a transaction: the same commands, queued and executed together.
    ///
    /// On a cluster all keys live in one slot, that of the first; a transaction without keys is given one as
    /// `Options::cluster_hash`, see [`with_options`](Self::with_options).
    pub fn multi(&self) -> Commands<Multi<'h, C>> {
        Commands::new(Multi { queue: Queue::new(self.sender().clone()) })
    }
}

impl<C: Target> Commands<Multi<'_, C>> {
    /// Executes the transaction and returns the answers of its commands.
    ///
    /// It is retried if nothing was executed and that may pass, and after an unknown outcome only if a repeat of
    /// every command is safe.
    /// With `abort_on_error` the error of the first command that the server refused to queue is returned, without it
    /// the `EXECABORT` that follows; a refusal that will not pass is returned in both cases.
    /// A watched key that changed makes the answer null.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    /// The error of a command that failed inside means that all others were executed: it is never retried without
    /// consent.
    pub async fn exec<R: FromValue>(&self, abort_on_error: bool) -> FredResult<R> {
        let queue = &self.sender().queue;
        let queued = queue.snapshot();
        if queued.is_empty() {
            return Value::Array(Vec::new()).convert();
        }
        let slot = if queue.direct.needs_slot() { Some(slot(&queued)?) } else { None };
        let command = Command { name: "exec", wait: BlockingTime::No, ..as_command(&queued) };
        let safe = queue.direct.consent.covers(command.replay);
        let attempt = |client| {
            let part = queue.direct.index_of(&client);
            let heed = move |refusal: &Error| queue.direct.heed(part, refusal);
            execute(with_slot(client, slot), &queued, abort_on_error, safe, heed)
        };
        queue.direct.run(command, attempt).await?.convert()
    }
}

/// Returns the slot of the keys of a transaction on a cluster.
fn slot<C: Target>(queued: &[Arc<Queued<C>>]) -> FredResult<u16> {
    let mut slots = queued.iter().filter_map(|queued| queued.slot());
    let refused = |text| Error::new(ErrorKind::Cluster, text);
    let slot = slots.next().ok_or_else(|| {
        refused("a transaction without a key needs a slot on a cluster; give it as `Options::cluster_hash`")
    })?;
    match slots.find(|other| *other != slot) {
        Some(_) => Err(refused("CROSSSLOT Keys of a transaction must hash to the same slot")),
        None => Ok(slot),
    }
}

/// Returns the client that sends everything to one slot.
fn with_slot<C: Target>(client: Once<C>, slot: Option<u16>) -> Once<C> {
    let Some(slot) = slot else { return client };
    let mut options = client.options().clone();
    options.cluster_hash = Some(ClusterHash::Custom(slot));
    C::with_options(&client, &options)
}

/// Executes what is queued, and calls `heed` with every refusal: `EXECABORT` hides those of the commands.
pub(super) async fn execute<C: Target>(
    client: Once<C>,
    queued: &[Arc<Queued<C>>],
    abort_on_error: bool,
    safe: bool,
    heed: impl Fn(&Error),
) -> Result<Value, Failed> {
    let multi = Pipeline::from(client);
    custom(&multi, "MULTI").await?;
    let results = send(multi, queued, Some("EXEC")).await?;
    results.iter().filter_map(|result| result.as_ref().err()).for_each(heed);
    match answer(results, abort_on_error, as_command(queued).errors) {
        Err(Failed::Closed(error)) if safe => Err(Failed::Open(error)),
        answer => answer,
    }
}

/// Queues a command without arguments.
pub(super) async fn custom<C: ::fred::interfaces::ClientLike>(
    client: &C,
    word: &'static str,
) -> FredResult<()> {
    // The slot comes with the options of the attempt.
    let command = CustomCommand::new_static(word, ClusterHash::Random, false);
    client.custom::<Value, Value>(command, Vec::new()).await.map(drop)
}

/// Reads the results of `MULTI`, the commands and `EXEC`: what was executed, even in part, is closed.
///
/// A command that makes up errors can make up the one of `EXEC`, but not a refusal to queue it.
fn answer(
    mut results: Vec<FredResult<Value>>,
    abort_on_error: bool,
    errors: Errors,
) -> Result<Value, Failed> {
    let error = match results.pop() {
        None => return Ok(Value::Null),
        Some(Ok(answers)) => return Ok(answers),
        Some(Err(error)) => error,
    };
    let refusals = || results.iter().filter_map(|result| result.as_ref().err());
    let is_aborted = ErrorClass::EXEC_ABORT.matches(&error);
    if is_aborted && let Some(first) = refusals().next() {
        let permanent = |refusal: &&Error| refusal.disposition() == Disposition::Permanent;
        return Err(match refusals().find(permanent) {
            Some(will_not_pass) => Failed::Closed(will_not_pass.clone()),
            None if abort_on_error => Failed::Open(first.clone()),
            None => Failed::Open(error),
        });
    }
    // `EXEC` was refused, or `MULTI` and everything after it.
    let refused = |error: &Error| error.disposition() == Disposition::NotExecuted;
    let all_refused =
        || refused(&error) && refusals().count() == results.len() && refusals().all(refused);
    if errors == Errors::Servers && (is_aborted || all_refused()) {
        return Err(Failed::Open(error));
    }
    Err(Failed::Closed(in_doubt(error)))
}
