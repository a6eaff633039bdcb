//! How a command is retried.

use std::{future::Future, time::Duration};

use ::fred::{
    error::{Error, ErrorKind},
    interfaces::FredResult,
    types::config::Server,
};
use tokio::{sync::futures::OwnedNotified, time::Instant};

use super::{
    ErrorClass,
    client::{DEFAULT_ATTEMPT_TIMEOUT, Direct, Once},
    commands::{BlockingTime, Command, Reply, Sender},
    connection::{LONGEST_CONNECT, closed},
    judge::{Failed, described},
    link::Standing,
    nothing::nothing,
    pulse::{Flight, Patience},
    target::{BoxFuture, Target},
    watch::servers,
};
use crate::{
    call::{Over, Retrying, Verdict, hook::run_hook},
    clock::{guarded::GuardedClock, timer::Timer},
    failure::{
        GiveUpReason,
        aborted::Aborted,
        classify::{Classify, Disposition},
    },
    policy::{ErasedState, NoRetry},
    telemetry::{self, Ending},
    testing,
};

pub(super) type Call = crate::call::Call<ErasedState, GuardedClock<Timer>>;

/// The failures that a new connection may have ended.
pub(super) const DISCONNECTED: ErrorClass = ErrorClass::CONNECTION
    .union(ErrorClass::TIMEOUT)
    .union(ErrorClass::CANCELED)
    .union(ErrorClass::PROTOCOL)
    .union(ErrorClass::ROUTING);

/// Over how long the calls spread that a new connection wakes.
const SPREAD: Duration = Duration::from_millis(100);

/// The shortest time limit that fred takes for one.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);

/// What fred answers when the task that drives the connection was dropped.
const NO_ROUTER: &str = "Failed to send command to router.";

/// Makes another attempt.
type Again<'a, C, T> = &'a (dyn Fn(Once<C>) -> BoxFuture<'a, Result<T, Failed>> + Send + Sync);

impl<C: Target> Sender for Direct<'_, C> {
    type Client = Once<C>;

    fn first(&self, command: Command) -> Option<(Once<C>, Flight<'_>)> {
        // Only limits, guards, hooks, blocking commands and a lost connection make the attempts of a client differ.
        let is_plain =
            self.settings.is_plain && !self.hooks.any() && command.wait == BlockingTime::No;
        if !is_plain || self.is_apart || self.connection.is_troubled() {
            return None;
        }
        let part = self.connection.choose()?;
        let mut flight = self.connection.depart(part, self.settings.patience);
        flight.name(command.name);
        Some((self.members[part].with_options(&self.settings.options), flight))
    }

    fn slot(&self, key: impl FnOnce() -> Option<u16>) -> Option<u16> {
        if self.settings.is_clustered { key() } else { None }
    }

    fn succeeded(&self, command: Command, flight: Flight<'_>, slot: impl FnOnce() -> Option<u16>) {
        flight.answered();
        telemetry::succeeded_at_once(command.name);
        if let Some(budgets) = &self.budgets {
            budgets.succeeded(|| self.node(self.slot(slot)));
        }
    }

    async fn send<T, F, Fut>(
        &self,
        command: Command,
        failed: Option<(Error, Flight<'_>)>,
        attempt: F,
    ) -> FredResult<T>
    where
        T: Reply,
        F: Fn(Once<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<T>> + Send + 'static,
    {
        let attempt = |client| {
            let attempt = attempt(client);
            async { attempt.await.map_err(Failed::Sent) }
        };
        match failed {
            Some((error, flight)) => {
                let call = self.start(command).since(flight.began());
                let failed =
                    self.note(flight, Failed::Sent(error), self.settings.options.timeout, command);
                self.rescue(call, command, failed, Ok(()), &attempt).await
            }
            None => self.run(command, attempt).await,
        }
    }
}

impl<C: Target> Direct<'_, C> {
    /// Runs a command: the first attempt in place, the others, if it fails, in a box.
    pub(super) async fn run<T, F, Fut>(&self, command: Command, attempt: F) -> FredResult<T>
    where
        T: Send + Sync,
        F: Fn(Once<C>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failed>> + Send,
    {
        if let Some((client, flight)) = self.first(command) {
            return match attempt(client).await {
                Ok(value) => {
                    self.succeeded(command, flight, || command.slot);
                    Ok(value)
                }
                Err(failed) => {
                    let call = self.start(command).since(flight.began());
                    let failed = self.note(flight, failed, self.settings.options.timeout, command);
                    self.rescue(call, command, failed, Ok(()), &attempt).await
                }
            };
        }
        let mut call = self.start(command);
        let limit = self.settings.limits.deadline;
        let refused = match limit.filter(Duration::is_zero) {
            Some(limit) => Err(Aborted::Deadline(limit)),
            None => call.admit(),
        };
        if let Err(aborted) = refused {
            return self.refuse(call, command, aborted).await;
        }
        let stopped = self.before(&call).await;
        if let (Err(GiveUpReason::Deadline), Some(limit)) = (stopped, limit) {
            return self.refuse(call, command, Aborted::Deadline(limit)).await;
        }
        match self.attempt(&call, command, &attempt).await {
            Ok(value) => {
                call.succeed(command.name);
                Ok(value)
            }
            Err(failed) => self.rescue(call, command, failed, stopped, &attempt).await,
        }
    }

    /// Makes one attempt, on a connection that is there.
    async fn attempt<T, F, Fut>(
        &self,
        call: &Call,
        command: Command,
        attempt: F,
    ) -> Result<T, Failed>
    where
        F: FnOnce(Once<C>) -> Fut,
        Fut: Future<Output = Result<T, Failed>>,
    {
        if self.is_apart {
            if self.connection.is_closed() {
                return Err(Failed::Closed(closed()));
            }
            return attempt(self.once(0, command.wait, Some(call), Duration::ZERO)).await;
        }
        let begin = Instant::now();
        let part = self.connected(call).await?;
        let client = self.once(part, command.wait, Some(call), begin.elapsed());
        let limit = client.options().timeout.filter(|limit| !limit.is_zero());
        let flight = self.connection.depart(part, Patience::of(limit));
        let _blocking = self.connection.block(part, command.wait != BlockingTime::No);
        let result = attempt(client).await;
        let Err(failed) = result else {
            flight.answered();
            return result;
        };
        let failed = match failed {
            Failed::Sent(error)
                if command.wait != BlockingTime::No && ErrorClass::TIMEOUT.matches(&error) =>
            {
                let elapsed = begin.elapsed();
                // fred says the same when a blocking command found nothing.
                if limit.is_none_or(|limit| elapsed < limit) {
                    flight.answered();
                    return Err(Failed::Empty(error));
                }
                // A server that lives answers a blocking command in its own time, but one without a limit perhaps
                // never: nothing else would be answered on this connection.
                let overdue = match (command.wait, self.settings.options.timeout) {
                    (BlockingTime::For(block), Some(timeout)) => {
                        elapsed >= block.saturating_add(timeout)
                    }
                    (wait, _) => wait == BlockingTime::Forever,
                };
                if overdue {
                    let text = "a blocking command was not answered long after its time";
                    let cause = Error::new(ErrorKind::IO, text);
                    self.connection.leave(part, self.client.part(part), &cause, LONGEST_CONNECT);
                }
                Failed::Sent(error)
            }
            failed => failed,
        };
        Err(self.note(flight, failed, limit, command))
    }

    /// Returns the connection to make an attempt on, and waits for one if there is none.
    async fn connected(&self, call: &Call) -> Result<usize, Failed> {
        if !self.connection.is_troubled()
            && let Some(part) = self.connection.choose()
        {
            return Ok(part);
        }
        if self.connection.is_closed() {
            self.connection.reopen(&self.client);
            return self.connection.choose().ok_or_else(|| Failed::Closed(closed()));
        }
        let limit = self.time_left(BlockingTime::No, Some(call)).unwrap_or(DEFAULT_ATTEMPT_TIMEOUT);
        let part = self.connection.wait(&self.client, limit).await.map_err(Failed::Kept)?;
        self.connection.mend(&self.client);
        Ok(part)
    }

    /// Takes from a failure what it says about the connection.
    #[cold]
    fn note(
        &self,
        mut flight: Flight<'_>,
        failed: Failed,
        limit: Option<Duration>,
        command: Command,
    ) -> Failed {
        flight.failed();
        let index = flight.part();
        let error = failed.error();
        let class = ErrorClass::of(error);
        if !DISCONNECTED.contains(class) {
            flight.answered();
            self.heed(index, error);
            return failed;
        }
        drop(flight);
        let part = self.client.part(index);
        if error.details() == NO_ROUTER {
            self.connection.abandon(index, &part);
        }
        if self.connection.follow(index, &part) && *error.kind() == ErrorKind::IO {
            // Nobody was there to hear of it.
            self.connection.lose(index, Standing::Down, servers(&part), error);
        }
        if class == ErrorClass::TIMEOUT {
            let nodes = self.nodes(command.slot);
            self.connection.suspect(index, part, nodes, limit);
        }
        failed.map(|error| self.connection.part(index).link.complete(error))
    }

    /// Leaves a connection on which a command was refused because the server became a replica.
    pub(super) fn heed(&self, index: usize, refusal: &Error) {
        let is_read_only = ErrorClass::READ_ONLY.contains(ErrorClass::of(refusal));
        if is_read_only && C::WRITES && !self.settings.is_clustered && !self.is_apart {
            self.connection.renew(index, self.client.part(index), refusal);
        }
    }

    /// Returns the connection that an attempt is made on.
    pub(super) fn index_of(&self, client: &Once<C>) -> usize {
        if self.connection.is_single() {
            return 0;
        }
        let is_same = |member: &C| member.id() == client.id();
        self.members.iter().position(is_same).unwrap_or_default()
    }

    /// Returns the nodes of a cluster that a command may have gone to.
    fn nodes(&self, slot: Option<u16>) -> Vec<Server> {
        if !self.settings.is_clustered {
            return Vec::new();
        }
        match self.node(slot) {
            Some(node) => vec![node],
            None => self
                .client
                .inner()
                .with_cluster_state(|state| Ok(state.unique_primary_nodes()))
                .unwrap_or_default(),
        }
    }

    /// Makes the other attempts in boxes: the future of a command stays small, and the code is there once.
    #[cold]
    fn rescue<'a, T, F, Fut>(
        &'a self,
        call: Call,
        command: Command,
        failed: Failed,
        stopped: Result<(), GiveUpReason>,
        attempt: &'a F,
    ) -> BoxFuture<'a, FredResult<T>>
    where
        T: Send + Sync + 'a,
        F: Fn(Once<C>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failed>> + Send + 'a,
    {
        Box::pin(async move {
            let again = |client| Box::pin(attempt(client)) as BoxFuture<'_, _>;
            self.recover(call, command, failed, stopped, &again).await
        })
    }

    /// Ends a call that may not make its first attempt.
    #[cold]
    fn refuse<'a, T: Send + Sync + 'a>(
        &'a self,
        mut call: Call,
        command: Command,
        aborted: Aborted,
    ) -> BoxFuture<'a, FredResult<T>> {
        let error = Error::from(aborted);
        let stop = NoRetry { reason: aborted.reason(), info: described(&error) };
        self.counters.failed_once();
        call.explain_as(command.name, &error);
        let ending = match aborted {
            Aborted::Cancelled | Aborted::BreakerOpen(_) => Ending::REFUSED,
            _ => Ending::FAILED,
        };
        call.forbid(command.name, stop, ending);
        Box::pin(self.end(call, Err(error), stop))
    }

    /// Ends a call without success.
    async fn end<T: Send + Sync>(
        &self,
        mut call: Call,
        outcome: FredResult<T>,
        stop: NoRetry,
    ) -> FredResult<T> {
        self.counters.failed(stop.reason());
        let over = Over { kept: outcome, stop, aborted: None };
        let give_up = call.give_up(&over);
        if let Some(hook) = &self.hooks.on_give_up {
            // Whatever it answers, the call is over.
            let _: Result<(), GiveUpReason> = run_hook(call.patience(), hook.run(&give_up)).await;
        }
        over.into_outcome()
    }

    /// Starts a call and its first attempt.
    fn start(&self, command: Command) -> Call {
        let mut call = Call::watched(&self.settings.policy);
        call.open(command.name);
        if let Some(budgets) = &self.budgets {
            call.pay_from(|| budgets.of(self.node(command.slot).as_ref()));
        }
        call.begin(&self.settings.policy);
        call
    }

    /// Returns the owner of the key of a command, as far as the client knows the cluster.
    fn node(&self, slot: Option<u16>) -> Option<Server> {
        let slot = slot?;
        let owner =
            self.client.inner().with_cluster_state(|state| Ok(state.get_server(slot).cloned()));
        owner.ok().flatten()
    }

    async fn before(&self, call: &Call) -> Result<(), GiveUpReason> {
        match &self.hooks.before {
            Some(hook) => run_hook(call.patience(), hook.run(&call.upcoming())).await,
            None => Ok(()),
        }
    }

    /// Retries after a first failure, until a success or the end.
    async fn recover<'a, T: Send + Sync>(
        &'a self,
        mut call: Call,
        command: Command,
        mut failed: Failed,
        stopped: Result<(), GiveUpReason>,
        again: Again<'a, C, T>,
    ) -> FredResult<T> {
        let mut doubt = None;
        let mut kept;
        let (outcome, stop) = loop {
            if matches!(failed, Failed::Empty(_)) {
                // An answer, and no failure to anybody.
                let is_retry = call.attempt() > 1;
                call.found_nothing(command.name);
                if is_retry {
                    self.counters.recovered();
                }
                return Err(nothing());
            }
            if call.attempt() == 1 {
                self.counters.failed_once();
            }
            kept = matches!(failed, Failed::Kept(_));
            let retry = match self.judge(&mut call, command, failed, stopped) {
                Verdict::GiveUp(over) => break (over.kept, over.stop),
                Verdict::Retry(retry) => retry,
            };
            if let Some(budgets) = &self.budgets {
                budgets.drained();
            }
            if let Err(error) = &retry.kept
                && !kept
                && error.disposition() == Disposition::Unknown
            {
                doubt = Some(error.clone());
            }
            // From here on, so that a connection which is back before the wait is not missed.
            let back = retry.kept.as_ref().err().filter(|error| DISCONNECTED.matches(error));
            let back = back.map(|_| self.connection.is_back());
            if let Err(reason) = self.repair(&call, &retry).await {
                break (retry.kept, retry.pause.stop(reason));
            }
            if let Err(reason) = self.wait(&mut call, back, retry.pause.delay()).await {
                break (retry.kept, retry.pause.stop(reason));
            }
            if let Err(reason) = self.before(&call).await {
                break (retry.kept, retry.pause.stop(reason));
            }
            if let Err(reason) = call.may_begin() {
                break (retry.kept, retry.pause.stop(reason));
            }
            call.begin(&self.settings.policy);
            self.counters.retried();
            let admitted = call.admit();
            debug_assert!(admitted.is_ok(), "only a first attempt is refused here");
            failed = match self.attempt(&call, command, again).await {
                Ok(value) => {
                    call.succeed(command.name);
                    self.counters.recovered();
                    return Ok(value);
                }
                Err(failed) => failed,
            };
        };
        // An attempt that was not executed says nothing about the one before it.
        let outcome = match (outcome, doubt) {
            (Err(last), Some(earlier))
                if kept || last.disposition() == Disposition::NotExecuted || last == closed() =>
            {
                Err(earlier)
            }
            (outcome, _) => outcome,
        };
        self.end(call, outcome, stop).await
    }

    async fn repair<T>(
        &self,
        call: &Call,
        retry: &Retrying<FredResult<T>>,
    ) -> Result<(), GiveUpReason> {
        if let Some(hook) = &self.hooks.on_failure {
            let failure = call.failure(retry);
            run_hook(call.patience(), hook.run(&failure)).await?;
        }
        call.check_time(&retry.pause)
    }

    /// Waits out the delay, or until the connection is back and a moment of its own more.
    async fn wait(
        &self,
        call: &mut Call,
        back: Option<OwnedNotified>,
        delay: Duration,
    ) -> Result<(), GiveUpReason> {
        let Some(back) = back.filter(|_| !delay.is_zero()) else {
            return call.pause_for(delay).await;
        };
        let begin = Instant::now();
        let reconnected = tokio::select! {
            biased;
            () = call.rest(delay) => return call.may_resume(),
            () = back => begin.elapsed(),
        };
        let spread = SPREAD.min(delay.saturating_sub(reconnected));
        call.pause_for(testing::with_random(|random| random.between(Duration::ZERO..=spread))).await
    }

    /// Returns the client of the next attempt, which writes once and has its time from fred.
    ///
    /// fred's timeout takes a command back that was not written yet; dropping the future would not.
    pub(super) fn once(
        &self,
        part: usize,
        wait: BlockingTime,
        call: Option<&Call>,
        waited: Duration,
    ) -> Once<C> {
        let mut options = self.settings.options.clone();
        let left = self.time_left(wait, call).map(|left| left.saturating_sub(waited).max(SHORTEST));
        // Zero means none to fred.
        options.timeout = Some(left.unwrap_or(Duration::ZERO));
        self.members[part].with_options(&options)
    }

    /// Returns how long an attempt may take at most.
    fn time(&self, wait: BlockingTime) -> Option<Duration> {
        let timeout = self.settings.options.timeout;
        match (wait, self.settings.timeout) {
            (BlockingTime::No, _) => timeout,
            // What the caller said holds; what nobody said about this command leaves it its time.
            (_, Some(given)) => Some(given),
            (BlockingTime::For(block), None) => {
                timeout.map(|timeout| timeout.saturating_add(block))
            }
            (BlockingTime::Forever, None) => None,
        }
    }

    /// Returns how long an attempt that begins now may take; not zero.
    fn time_left(&self, wait: BlockingTime, call: Option<&Call>) -> Option<Duration> {
        let left = call
            .and_then(Call::deadline)
            .map(|deadline| deadline.saturating_duration_since(Instant::now()).max(SHORTEST));
        match (self.time(wait), left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (one, other) => one.or(other),
        }
    }
}
