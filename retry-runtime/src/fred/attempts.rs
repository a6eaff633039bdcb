//! How a command is retried.

use std::{future::Future, time::Duration};

use ::fred::{error::Error, interfaces::FredResult};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{
    ErrorClass,
    client::{DEFAULT_ATTEMPT_TIMEOUT, Direct, Once},
    commands::{Command, Reply, Sender, Wait},
    replay::Replay,
    target::{BoxFuture, Target},
};
use crate::{
    ByDisposition, Classify, Disposition, ErasedState, Idempotence, Pause, Random, Reason,
    TimeLimit,
    drive::{Call, Timer, Verdict, run_hook, wait},
};

/// The failures that a connection made anew may have ended.
const DISCONNECTED: ErrorClass = ErrorClass::CONNECTION
    .union(ErrorClass::TIMEOUT)
    .union(ErrorClass::CANCELED)
    .union(ErrorClass::PROTOCOL)
    .union(ErrorClass::ROUTING);

/// Over how long the calls spread that a new connection wakes.
const SPREAD: Duration = Duration::from_millis(100);

/// Makes another attempt.
type Again<'a, C, T> = &'a (dyn Fn(Once<C>) -> BoxFuture<'a, FredResult<T>> + Send + Sync);

/// An attempt that failed.
enum Failed {
    /// The command was or may have been sent.
    Sent(Error),
    /// There was no connection to send it on.
    Kept(Error),
}

impl<C: Target> Sender for Direct<'_, C> {
    type Client = Once<C>;

    fn first(&self, command: Command) -> Option<Once<C>> {
        // Only limits, hooks, blocking commands and a lost connection make the attempts of a client differ.
        let plain = self.settings.limits.deadline.is_none()
            && !self.hooks.any()
            && command.wait == Wait::No
            && self.connection.is_up();
        plain.then(|| self.client.with_options(&self.settings.options))
    }

    async fn send<T, F, Fut>(
        &self,
        command: Command,
        failed: Option<Error>,
        attempt: F,
    ) -> FredResult<T>
    where
        T: Reply,
        F: Fn(Once<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<T>> + Send + 'static,
    {
        match failed {
            Some(error) => {
                self.rescue(self.start(), command, Failed::Sent(error), Ok(()), &attempt).await
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
        Fut: Future<Output = FredResult<T>> + Send,
    {
        if let Some(client) = self.first(command) {
            return match attempt(client).await {
                Ok(value) => Ok(value),
                Err(error) => {
                    self.rescue(self.start(), command, Failed::Sent(error), Ok(()), &attempt).await
                }
            };
        }
        let call = self.start();
        if let Some(limit) = self.settings.limits.deadline.filter(Duration::is_zero) {
            return Err(TimeLimit::Deadline(limit).into());
        }
        let stopped = self.before(&call).await;
        let client = self.once(command.wait, Some(&call));
        let failed = match self.connected(&client).await {
            Ok(()) => match attempt(client).await {
                Ok(value) => return Ok(value),
                Err(error) => Failed::Sent(error),
            },
            Err(error) => Failed::Kept(error),
        };
        self.rescue(call, command, failed, stopped, &attempt).await
    }

    /// Makes the other attempts in boxes: the future of a command stays small, and the code is there once.
    #[cold]
    fn rescue<'a, T, F, Fut>(
        &'a self,
        mut call: Call<ErasedState, Timer>,
        command: Command,
        failed: Failed,
        stopped: Result<(), Reason>,
        attempt: &'a F,
    ) -> BoxFuture<'a, FredResult<T>>
    where
        T: Send + Sync + 'a,
        F: Fn(Once<C>) -> Fut + Send + Sync,
        Fut: Future<Output = FredResult<T>> + Send + 'a,
    {
        call.begin();
        Box::pin(async move {
            let again = |client| Box::pin(attempt(client)) as BoxFuture<'_, _>;
            self.recover(call, command, failed, stopped, &again).await
        })
    }

    /// Makes the connection anew if fred gave it up.
    async fn connected(&self, client: &Once<C>) -> FredResult<()> {
        if self.connection.is_up() {
            return Ok(());
        }
        let limit = client.options().timeout.filter(|timeout| !timeout.is_zero());
        self.connection.revive(&self.client, limit.unwrap_or(DEFAULT_ATTEMPT_TIMEOUT)).await
    }

    fn start(&self) -> Call<ErasedState, Timer> {
        Call::watched(&self.settings.policy)
    }

    async fn before(&self, call: &Call<ErasedState, Timer>) -> Result<(), Reason> {
        match &self.hooks.before {
            Some(hook) => run_hook(call.deadline(), hook.run(&call.upcoming())).await,
            None => Ok(()),
        }
    }

    /// Retries after a first failure, until a success or the end.
    async fn recover<'a, T: Send + Sync>(
        &'a self,
        mut call: Call<ErasedState, Timer>,
        command: Command,
        mut failed: Failed,
        stopped: Result<(), Reason>,
        again: Again<'a, C, T>,
    ) -> FredResult<T> {
        let mut doubt = None;
        let (outcome, reason) = loop {
            let (outcome, pause) = match self.judge(&mut call, command, failed).unless(stopped) {
                Verdict::Success(outcome) => return outcome,
                Verdict::GiveUp(outcome, reason, _) => break (outcome, reason),
                Verdict::Retry(outcome, pause, _) => (outcome, pause),
            };
            if let Err(error) = &outcome
                && error.disposition() == Disposition::Unknown
            {
                doubt = Some(error.clone());
            }
            if let Err(reason) = self.repair(&call, command, &outcome, &pause).await {
                break (outcome, reason);
            }
            if let Err(lost) = &outcome {
                self.wait(lost, pause.delay()).await;
            }
            if let Err(reason) = self.before(&call).await {
                break (outcome, reason);
            }
            call.begin();
            let client = self.once(command.wait, Some(&call));
            failed = match self.connected(&client).await {
                Ok(()) => match again(client).await {
                    Ok(value) => return Ok(value),
                    Err(error) => Failed::Sent(error),
                },
                Err(error) => Failed::Kept(error),
            };
        };
        // An attempt that was not executed says nothing about the one before it.
        let outcome = match (outcome, doubt) {
            (Err(last), Some(earlier)) if last.disposition() == Disposition::NotExecuted => {
                Err(earlier)
            }
            (outcome, _) => outcome,
        };
        if let Some(hook) = &self.hooks.on_give_up {
            let give_up = call.give_up(command.name, &outcome, reason, None);
            // Whatever it answers, the call is over.
            let _: Result<(), Reason> = run_hook(None, hook.run(&give_up)).await;
        }
        outcome
    }

    /// Asks first whether the command may be sent again, then the policy.
    fn judge<T>(
        &self,
        call: &mut Call<ErasedState, Timer>,
        command: Command,
        failed: Failed,
    ) -> Verdict<FredResult<T>> {
        let error = match failed {
            Failed::Sent(error) if !command.asked && !self.may_repeat(&error, command) => {
                return Verdict::GiveUp(Err(error), Reason::NotRetryable, None);
            }
            Failed::Sent(error) | Failed::Kept(error) => error,
        };
        let rule = ByDisposition::new(Idempotence::Idempotent);
        call.judge(&self.settings.policy, &rule, Ok(Err(error)), |_| false)
    }

    /// Tells whether sending the command again cannot do what nobody asked for, whatever errors the policy names.
    pub(super) fn may_repeat(&self, error: &Error, command: Command) -> bool {
        // fred says the same when a blocking command found nothing, which is an answer.
        if command.wait != Wait::No && ErrorClass::TIMEOUT.matches(error) {
            return false;
        }
        // A reply that does not convert, and an error of a script, come after something was done.
        let executed = || command.replay == Replay::Opaque || ErrorClass::PARSE.matches(error);
        match error.disposition() {
            Disposition::NotExecuted => true,
            Disposition::Permanent if !executed() => true,
            Disposition::Permanent | Disposition::Unknown => self.consent.covers(command.replay),
        }
    }

    async fn repair<T>(
        &self,
        call: &Call<ErasedState, Timer>,
        command: Command,
        outcome: &FredResult<T>,
        pause: &Pause,
    ) -> Result<(), Reason> {
        if let Some(hook) = &self.hooks.on_failure {
            let failure = call.failure(command.name, outcome, pause, None);
            run_hook(call.deadline(), hook.run(&failure)).await?;
        }
        call.check_time(pause)
    }

    /// Waits out the delay, or until the connection is back and a moment of its own more.
    async fn wait(&self, error: &Error, delay: Duration) {
        if delay.is_zero() || !DISCONNECTED.matches(error) {
            return wait(delay).await;
        }
        let Some(end) = Instant::now().checked_add(delay) else { return wait(delay).await };
        if timeout(delay, self.client.reconnected()).await.is_ok() {
            let spread = SPREAD.min(end.saturating_duration_since(Instant::now()));
            let moment =
                Random::with_thread_local(|random| random.between(Duration::ZERO..=spread));
            sleep(moment).await;
        } else {
            sleep_until(end).await;
        }
    }

    /// Returns the client of the next attempt, which writes once and has its time from fred.
    ///
    /// fred's timeout takes a command back that was not written yet; dropping the future would not.
    pub(super) fn once(&self, wait: Wait, call: Option<&Call<ErasedState, Timer>>) -> Once<C> {
        let mut options = self.settings.options.clone();
        let timeout = options.timeout.filter(|timeout| !timeout.is_zero());
        let timeout = match wait {
            Wait::No => timeout,
            Wait::For(block) => timeout.map(|timeout| timeout.saturating_add(block)),
            Wait::Forever => None,
        };
        let left = call
            .and_then(Call::deadline)
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Zero means none to fred.
        let left = left.map(|left| left.max(Duration::from_millis(1)));
        options.timeout = Some(match (timeout, left) {
            (Some(timeout), Some(left)) => timeout.min(left),
            (one, other) => one.or(other).unwrap_or(Duration::ZERO),
        });
        self.client.with_options(&options)
    }
}
