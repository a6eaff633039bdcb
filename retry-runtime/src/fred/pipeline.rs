//! Several commands sent at once.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use ::fred::{
    clients::{Client, Pipeline},
    error::{Error, ErrorKind},
    interfaces::FredResult,
    types::{FromValue, Value},
};

use super::{
    ErrorClass,
    client::{Direct, Once},
    commands::{BlockingTime, Command, Commands, Errors, NotSentinel, Reply, Sender},
    doubt::{in_doubt, unless_kept},
    judge::Failed,
    pulse::Flight,
    replay::Replay,
    target::{BoxFuture, Target},
    transaction::custom,
};
use crate::failure::classify::{Classify, Disposition};

/// Commands that are queued and then sent at once, retried under the policy of the client.
///
/// Made by [`Commands::pipeline`].
/// A command that is queued answers nothing yet, so ask for `()`; one whose arguments fred refuses is not queued.
/// The queue stays: a pipeline can be sent again.
///
/// ```no_run
/// use fred::prelude::*;
/// use retry_runtime::fred::RetryClient;
///
/// # async fn example(client: RetryClient) -> FredResult<()> {
/// let pipeline = client.pipeline();
/// pipeline.get::<(), _>("a").await?;
/// pipeline.get::<(), _>("b").await?;
/// let (a, b): (String, String) = pipeline.all().await?; // all reads: replayed if the connection is lost
/// # Ok(())
/// # }
/// ```
pub type RetryPipeline<C = Client> = Commands<Queue<'static, C>>;

/// Keeps commands until the pipeline is sent.
pub struct Queue<'h, C: Target> {
    pub(super) direct: Direct<'h, C>,
    commands: Arc<Mutex<Vec<Arc<Queued<C>>>>>,
    /// The same commands in a pipeline of fred, which can be sent as often as one likes.
    ready: Pipeline<Once<C>>,
    /// Held while a command is put into both, so that their order is the same.
    order: Arc<tokio::sync::Mutex<Order>>,
}

/// Whether the two places that keep commands hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Same,
    /// A command is put into both; if that is dropped on its way, it may be in one of them only.
    Doubtful,
}

pub(super) struct Queued<C: Target> {
    command: Command,
    enqueue: Enqueue<C>,
}

impl<C: Target> Queued<C> {
    /// Returns the slot of the first key, on a cluster.
    pub(super) fn slot(&self) -> Option<u16> {
        self.command.slot
    }
}

/// Puts a command into a pipeline of fred.
type Enqueue<C> =
    Box<dyn Fn(Pipeline<Once<C>>) -> BoxFuture<'static, FredResult<()>> + Send + Sync>;

impl<C: Target> Clone for Queue<'_, C> {
    fn clone(&self) -> Self {
        Self {
            direct: self.direct.clone(),
            commands: Arc::clone(&self.commands),
            ready: self.ready.clone(),
            order: Arc::clone(&self.order),
        }
    }
}

impl<C: Target> fmt::Debug for Queue<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lock().iter().map(|queued| queued.command.name).collect::<Vec<_>>();
        formatter
            .debug_struct("Queue")
            .field("direct", &self.direct)
            .field("commands", &names)
            .finish()
    }
}

impl<'h, C: Target> Queue<'h, C> {
    pub(super) fn new(direct: Direct<'h, C>) -> Self {
        let ready = Pipeline::from(direct.once(0, BlockingTime::No, None, Duration::ZERO));
        Self { direct, commands: Arc::default(), ready, order: Arc::default() }
    }

    /// Sends the whole queue once.
    async fn send_all(
        &self,
        client: Once<C>,
        queued: &[Arc<Queued<C>>],
        wait: BlockingTime,
    ) -> FredResult<Vec<FredResult<Value>>> {
        if self.is_scattered(queued) {
            return self.send_each(client, queued).await;
        }
        let part = self.direct.index_of(&client);
        // What is ready was given the time of an attempt, and no more and no less.
        if wait == BlockingTime::No
            && self.direct.settings.limits.deadline.is_none()
            && self.direct.connection.is_single()
        {
            let mut ready = pin!(results(&self.ready, queued.len()));
            if let Some(begun) = self.begin(queued.len(), ready.as_mut()).await {
                let results = match begun {
                    Poll::Ready(results) => results,
                    Poll::Pending => ready.await,
                };
                return self.judged(part, results, queued);
            }
        }
        self.send_each(client, queued).await
    }

    /// Sends some of the queue once.
    async fn send_each(
        &self,
        client: Once<C>,
        queued: &[Arc<Queued<C>>],
    ) -> FredResult<Vec<FredResult<Value>>> {
        let part = self.direct.index_of(&client);
        let results = if self.is_scattered(queued) {
            send_apart(&client, queued).await
        } else {
            send(Pipeline::from(client), queued, None).await
        };
        self.judged(part, results, queued)
    }

    /// Tells whether each command has to be answered for itself.
    ///
    /// fred answers one error for a whole pipeline when one node of a cluster redirects its part, whatever became of
    /// the others.
    fn is_scattered(&self, queued: &[Arc<Queued<C>>]) -> bool {
        self.direct.settings.is_clustered
            && queued.len() > 1
            && !self.direct.consent.covers(as_command(queued).replay)
    }

    /// Puts into doubt what was refused and may have been executed nevertheless, and takes from each refusal what it
    /// says about the connection: the queue as a whole may succeed.
    fn judged(
        &self,
        part: usize,
        results: FredResult<Vec<FredResult<Value>>>,
        queued: &[Arc<Queued<C>>],
    ) -> FredResult<Vec<FredResult<Value>>> {
        let as_one = self.direct.settings.is_clustered && queued.len() > 1;
        let mut results =
            results.map_err(|error| if as_one { unless_kept(error) } else { error })?;
        for (result, queued) in results.iter_mut().zip(queued) {
            let Err(error) = result else { continue };
            self.direct.heed(part, error);
            if queued.command.errors == Errors::Own {
                *error = unless_kept(error.clone());
            }
        }
        Ok(results)
    }

    /// Lets fred take what is ready, unless that differs from the commands that are asked for.
    async fn begin<F: Future>(
        &self,
        commands: usize,
        mut ready: std::pin::Pin<&mut F>,
    ) -> Option<Poll<F::Output>> {
        let order = self.order.try_lock().ok()?;
        if *order != Order::Same || self.lock().len() != commands {
            return None;
        }
        // fred copies its queue when it is polled first: what is queued from then on is not sent.
        Some(poll_fn(|context| Poll::Ready(ready.as_mut().poll(context))).await)
    }

    pub(super) fn snapshot(&self) -> Vec<Arc<Queued<C>>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Queued<C>>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Describes a queue as one command: as unsafe as its least safe, and as slow as all that block together.
pub(super) fn as_command<C: Target>(queued: &[Arc<Queued<C>>]) -> Command {
    let replay = queued.iter().map(|queued| queued.command.replay).max();
    let wait = queued.iter().fold(BlockingTime::No, |wait, queued| wait.and(queued.command.wait));
    let slot = queued.iter().find_map(|queued| queued.command.slot);
    let errors = queued.iter().map(|queued| queued.command.errors).max();
    let errors = errors.unwrap_or(Errors::Servers);
    Command { wait, slot, errors, ..Command::new("pipeline", replay.unwrap_or(Replay::Read)) }
}

impl<C: Target> Sender for Queue<'_, C> {
    type Client = Pipeline<Once<C>>;

    fn first(&self, _: Command) -> Option<(Self::Client, Flight<'_>)> {
        None
    }

    fn slot(&self, key: impl FnOnce() -> Option<u16>) -> Option<u16> {
        self.direct.slot(key)
    }

    async fn send<T, F, Fut>(
        &self,
        command: Command,
        _: Option<(Error, Flight<'_>)>,
        attempt: F,
    ) -> FredResult<T>
    where
        T: Reply,
        F: Fn(Self::Client) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<T>> + Send + 'static,
    {
        let mut order = self.order.lock().await;
        let before = std::mem::replace(&mut *order, Order::Doubtful);
        // What fred refuses is not queued.
        if let Err(error) = attempt(self.ready.clone()).await
            && !was_queued(&error)
        {
            *order = before;
            return Err(error);
        }
        let enqueue: Enqueue<C> = Box::new(move |pipeline| {
            let queued = attempt(pipeline);
            Box::pin(async move { queued.await.map(drop) })
        });
        self.lock().push(Arc::new(Queued { command, enqueue }));
        *order = before;
        Ok(T::queued())
    }
}

impl<C: Target + NotSentinel> NotSentinel for Queue<'_, C> {}

/// Tells whether fred only missed the `OK` that a queued command cannot answer yet.
fn was_queued(error: &Error) -> bool {
    *error.kind() == ErrorKind::Unknown && error.details() == "Expected OK, found Queued."
}

/// Sends commands at once, after what is in the pipeline and before `end`; one result for each, or one error for all of them.
pub(super) async fn send<C: Target>(
    pipeline: Pipeline<Once<C>>,
    queued: &[Arc<Queued<C>>],
    end: Option<&'static str>,
) -> FredResult<Vec<FredResult<Value>>> {
    for queued in queued {
        match (queued.enqueue)(pipeline.clone()).await {
            Err(error) if !was_queued(&error) => return Err(error),
            _ => {}
        }
    }
    if let Some(word) = end {
        custom(&pipeline, word).await?;
    }
    results(&pipeline, queued.len() + usize::from(end.is_some())).await
}

/// Sends commands at once, each in a pipeline of its own; fred keeps their order.
async fn send_apart<C: Target>(
    client: &Once<C>,
    queued: &[Arc<Queued<C>>],
) -> FredResult<Vec<FredResult<Value>>> {
    let mut sent = Vec::with_capacity(queued.len());
    for queued in queued {
        let pipeline = Pipeline::from(client.clone());
        match (queued.enqueue)(pipeline.clone()).await {
            Err(error) if !was_queued(&error) => return Err(error),
            _ => {}
        }
        let answer = async move { pipeline.last::<Value>().await };
        sent.push((Box::pin(answer) as BoxFuture<'_, _>, None));
    }
    // The first poll of each hands it to fred.
    poll_fn(|context| {
        let mut is_ready = true;
        for (answer, result) in sent.iter_mut().filter(|(_, result)| result.is_none()) {
            match answer.as_mut().poll(context) {
                Poll::Ready(answer) => *result = Some(answer),
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(sent.into_iter().filter_map(|(_, result)| result).collect())
}

/// Sends a pipeline of so many commands or more.
async fn results<C: Target>(
    pipeline: &Pipeline<Once<C>>,
    commands: usize,
) -> FredResult<Vec<FredResult<Value>>> {
    let mut results = pipeline.try_all::<Value>().await;
    match results.pop() {
        // fred answers so when the whole pipeline failed.
        Some(Err(error)) if results.is_empty() && commands > 1 => Err(error),
        Some(last) => {
            results.push(last);
            Ok(results)
        }
        None => Ok(results),
    }
}

impl<'h, C: Target> Commands<Direct<'h, C>> {
    /// Starts a pipeline: the same commands, queued and sent at once.
    pub fn pipeline(&self) -> Commands<Queue<'h, C>> {
        Commands::new(Queue::new(self.sender().clone()))
    }
}

impl<C: Target> Commands<Queue<'_, C>> {
    /// Returns what a repeat of the queue does: the class of its least safe command with its options.
    pub fn replay(&self) -> Replay {
        as_command(&self.sender().snapshot()).replay
    }

    /// Sends the queue and returns the answers of all commands, or the error of the first that failed.
    ///
    /// The queue is retried as one: if no command was executed, or if all are safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the answers do not convert.
    /// Commands before and after the one that failed may have been executed.
    pub async fn all<R: FromValue>(&self) -> FredResult<R> {
        let results =
            self.as_one(|results| results.iter().find_map(|result| result.as_ref().err()));
        let values = results.await?.into_iter().collect::<FredResult<Vec<_>>>()?;
        Value::Array(values).convert()
    }

    /// Sends the queue and returns the answer of the last command, whatever the others answer.
    ///
    /// The queue is retried as one: if no command was executed, or if all are safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the answer does not convert.
    pub async fn last<R: FromValue>(&self) -> FredResult<R> {
        let results =
            self.as_one(|results| results.last().and_then(|result| result.as_ref().err()));
        results.await?.pop().unwrap_or(Ok(Value::Null))?.convert()
    }

    /// Retries the whole queue, as long as `failure` finds an error and a repeat does what was asked for.
    async fn as_one(
        &self,
        failure: impl Fn(&[FredResult<Value>]) -> Option<&Error> + Send + Sync,
    ) -> FredResult<Vec<FredResult<Value>>> {
        let queue = self.sender();
        let queued = queue.snapshot();
        if queued.is_empty() {
            return Ok(Vec::new());
        }
        let command = as_command(&queued);
        let safe = queue.direct.consent.covers(command.replay);
        let attempt = |client| async {
            let results = queue.send_all(client, &queued, command.wait).await?;
            let Some(error) = failure(&results).cloned() else { return Ok(results) };
            if results.iter().all(is_not_executed) {
                return Err(Failed::Open(error));
            }
            // The error is that of one command, and speaks for all.
            let error = in_doubt(error);
            Err(if safe { Failed::Open(error) } else { Failed::Closed(error) })
        };
        queue.direct.run(command, attempt).await
    }

    /// Sends the queue and returns the result of every command, in their order.
    ///
    /// Only the commands are retried that failed and may be repeated: what was not executed, after an unknown outcome
    /// what is safe to repeat, and if no other is left, what was refused for good with an error that the policy names.
    /// They then run after those that succeeded.
    pub async fn try_all<R: FromValue>(&self) -> Vec<FredResult<R>> {
        let queue = self.sender();
        let queued = queue.snapshot();
        let command = as_command(&queued);
        let progress = Mutex::new(Progress::of(queued.len()));
        let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = |client| async {
            let open = lock().open.clone();
            let batch = open.iter().map(|index| Arc::clone(&queued[*index])).collect::<Vec<_>>();
            let sent = if batch.len() == queued.len() {
                queue.send_all(client, &batch, command.wait).await
            } else {
                queue.send_each(client, &batch).await
            };
            let unanswered = sent.as_ref().err().cloned();
            let sent = sent.unwrap_or_else(|error| vec![Err(error); batch.len()]);
            let may_repeat =
                |index: usize, error: &Error| queue.direct.may_repeat(error, queued[index].command);
            lock().settle(open.into_iter().zip(sent), may_repeat)?;
            // The results say it of each command, and this of the call: it is no success that none was answered.
            unanswered.map_or(Ok(()), |error| Err(Failed::Closed(error)))
        };
        // The last error of each command is in the results; one that was never sent has that of the call.
        let ended: FredResult<()> = queue.direct.run(command, attempt).await;
        let missing = || ended.clone().and(Ok(Value::Null));
        let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        let results = progress.results.into_iter();
        results.map(|result| result.unwrap_or_else(missing).and_then(Value::convert)).collect()
    }
}

/// How far the commands of a pipeline are that are retried one by one.
struct Progress {
    results: Vec<Option<FredResult<Value>>>,
    /// What is to be sent next.
    open: Vec<usize>,
}

impl Progress {
    fn of(commands: usize) -> Self {
        Self { results: vec![None; commands], open: (0..commands).collect() }
    }

    /// Takes the results of what was sent, and offers an error to the policy if another attempt may do better.
    fn settle(
        &mut self,
        sent: impl Iterator<Item = (usize, FredResult<Value>)>,
        may_repeat: impl Fn(usize, &Error) -> bool,
    ) -> Result<(), Failed> {
        for (index, result) in sent {
            let before = &mut self.results[index];
            // An attempt that was not executed says nothing about the one before it.
            if !(is_not_executed(&result) && before.as_ref().is_some_and(is_unknown)) {
                *before = Some(result);
            }
        }
        let failed = self.results.iter().enumerate().filter_map(|(index, result)| {
            let error = result.as_ref()?.as_ref().err()?;
            may_repeat(index, error).then_some((index, error))
        });
        let failed = failed.collect::<Vec<_>>();
        let passes = |error: &Error| error.disposition() != Disposition::Permanent;
        let offered = failed.iter().find(|(_, error)| passes(error)).or(failed.first());
        let Some((_, offered)) = offered else { return Ok(()) };
        let class = ErrorClass::of(offered);
        let alike = |error: &Error| match offered.disposition() {
            Disposition::Permanent => ErrorClass::of(error) == class,
            _ => passes(error),
        };
        let again = failed.iter().filter(|(_, error)| alike(error));
        self.open = again.map(|(index, _)| *index).collect();
        Err(Failed::Open((*offered).clone()))
    }
}

fn is_not_executed(result: &FredResult<Value>) -> bool {
    result.as_ref().is_err_and(|error| error.disposition() == Disposition::NotExecuted)
}

fn is_unknown(result: &FredResult<Value>) -> bool {
    result.as_ref().is_err_and(|error| error.disposition() == Disposition::Unknown)
}
