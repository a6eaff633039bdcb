//! One call, from its first attempt to its end.

mod decide;
mod error_type;
#[cfg(feature = "fred")]
mod external;
pub(crate) mod hook;
mod past;
mod print;
pub(crate) mod scope;
mod verdict;
mod wait;

pub use self::{
    error_type::{ErrorType, on_error},
    verdict::Verdict,
};
pub(crate) use self::{
    past::{Past, Texts},
    verdict::{ErrorIn, Failed, Finished, Over, Retrying},
};

use std::{future::Future, marker::PhantomData, mem, ops::ControlFlow};

use crate::{
    call::{
        hook::Patience,
        print::{Print, Printed},
        scope::{Begun, Scoped},
        wait::Paused,
    },
    clock::{
        Clock, Clocked,
        outcome::{ErrorOf, Outcome, Unsuccessful},
    },
    failure::{
        GiveUpReason, RepresentsAbort,
        aborted::{Aborted, PreviousError},
        info::FailureInfo,
    },
    policy::{Decide, Nested, NoRetry, Policy, Session},
    telemetry::{self, Ending, name::Name},
    testing,
};

/// One call: its session, its clock and its guards.
///
/// The session begins with the first failure: a call that succeeds at once sets up none.
/// It ends with the call: as long as there is a session, the end of the call has not been reported.
#[derive(Debug)]
pub struct Call<S, C: Clock, N: Name = &'static str> {
    pub(crate) clock: C,
    pub(crate) past: Option<Past<S, N>>,
    /// The name of a call in its first attempt, whose end is counted in any case.
    #[cfg(feature = "metrics")]
    pub(crate) open: Option<N>,
}

impl<S: Default, C: Clock, N: Name> Call<S, C, N> {
    /// Starts a call without hooks.
    #[inline]
    pub fn start<P>(policy: &P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Bare = C>,
    {
        Self::new(policy)
    }

    /// Starts a call with hooks, which see the elapsed time.
    pub fn watched<P>(policy: &P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Watched = C>,
    {
        Self::new(policy)
    }

    /// Starts a call without hooks, with guards of its own.
    pub fn start_guarded<P>(policy: P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Bare = C>,
    {
        Self::new(policy)
    }

    /// Starts a call with hooks, with guards of its own.
    pub fn watched_guarded<P>(policy: P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Watched = C>,
    {
        Self::new(policy)
    }

    #[inline]
    fn new<P: Policy<State = S>>(policy: P) -> Self {
        Self {
            clock: C::start(policy),
            past: None,
            #[cfg(feature = "metrics")]
            open: None,
        }
    }
}

impl<S, C: Clock, N: Name> Call<S, C, N> {
    /// Names a call that begins, so that its end is counted even if its first attempt has no outcome.
    #[inline]
    pub fn open(&mut self, name: N) {
        #[cfg(feature = "metrics")]
        {
            self.open = Some(name);
        }
        let _ = name;
    }

    /// Begins the next attempt.
    #[inline]
    pub fn begin<P: Policy>(&mut self, policy: &P) -> Begun {
        let nested = self.clock.guarding().map_or(Nested::Allow, |guarding| guarding.nested());
        match &mut self.past {
            Some(past) => Begun::aloud(past.session.begin(), policy.attempts(), nested),
            None if nested == Nested::Allow => Begun::quietly(),
            None => Begun::aloud(1, policy.attempts(), nested),
        }
    }

    /// Returns the number of the last attempt that began, counted from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.past.as_ref().map_or(1, |past| past.session.attempt())
    }

    /// Runs the attempt that began under the time limits of the call.
    #[inline]
    pub fn run<F: Future>(&mut self, begun: Begun, attempt: F) -> Scoped<C::Running<F>> {
        self.run_unless(None, begun, attempt)
    }

    /// Runs the attempt that began, unless it was `refused` before its hook ran.
    #[inline]
    pub fn run_unless<F: Future>(
        &mut self,
        refused: Option<Aborted>,
        begun: Begun,
        attempt: F,
    ) -> Scoped<C::Running<F>> {
        Scoped::new(begun, self.clock.run(begun.attempt(), attempt, refused))
    }

    /// Runs the attempt that began on a thread that it can block; only a deadline that has passed prevents it.
    #[inline]
    pub fn run_blocking<R>(&mut self, begun: Begun, attempt: impl FnOnce() -> R) -> C::Ended<R> {
        self.run_blocking_unless(None, begun, attempt)
    }

    /// Runs the attempt that began on a thread that it can block, unless it was `refused` before its hook ran.
    #[inline]
    pub fn run_blocking_unless<R>(
        &mut self,
        refused: Option<Aborted>,
        begun: Begun,
        attempt: impl FnOnce() -> R,
    ) -> C::Ended<R> {
        let number = begun.attempt();
        if number > 1 {
            let run = |clock: &mut C| clock.run_blocking(number, attempt, refused);
            return begun.scoped(|| self.block(run));
        }
        begun.scoped(|| self.clock.run_blocking(number, attempt, refused))
    }

    #[inline]
    fn outcome<O>(&self, ended: C::Ended<O>) -> (O, Option<Aborted>)
    where
        O: Outcome<Error: RepresentsAbort<C::Limit>>,
    {
        C::outcome(ended, || self.past.as_ref()?.texts.previous())
    }

    /// Returns the outcome of an attempt that succeeded.
    ///
    /// # Errors
    ///
    /// Returns the failure of one that did not, for the policy to decide, and the type of its error.
    #[inline]
    pub fn finish<O>(&mut self, name: N, ended: C::Ended<O>) -> Finished<O, ErrorOf<O::Error, O>>
    where
        O: Outcome,
        O::Error: RepresentsAbort<C::Limit>,
    {
        let (outcome, aborted) = self.outcome(ended);
        match outcome.into_result() {
            Ok(value) => {
                self.succeed(name);
                Ok(O::from_result(Ok(value)))
            }
            Err(error) => {
                Err((Failed { kept: ErrorOf::new(error), aborted }, ErrorType(PhantomData)))
            }
        }
    }

    /// Returns the outcome as [`finish`](Self::finish) does, unless it is a value to retry.
    ///
    /// # Errors
    ///
    /// As there; such a value is kept, because the caller gets it when the retries are used up.
    #[inline]
    pub fn finish_wanted<O>(
        &mut self,
        name: N,
        ended: C::Ended<O>,
        retry_value: impl FnOnce(&O::Ok) -> bool,
    ) -> Finished<O, O>
    where
        O: Outcome,
        O::Error: RepresentsAbort<C::Limit>,
    {
        let (outcome, aborted) = self.outcome(ended);
        match outcome.into_result() {
            Ok(value) if !retry_value(&value) => {
                self.succeed(name);
                Ok(O::from_result(Ok(value)))
            }
            result => {
                Err((Failed { kept: O::from_result(result), aborted }, ErrorType(PhantomData)))
            }
        }
    }

    /// Settles a failure of a call without hooks: the outcome to return, or the wait.
    #[cold]
    pub fn settle<K, P, R>(
        &mut self,
        name: N,
        policy: &P,
        rule: &R,
        failed: Failed<K>,
    ) -> ControlFlow<K::Outcome, Paused<(K, FailureInfo), C>>
    where
        S: Default,
        K: Unsuccessful,
        P: Decide<ErrorIn<K>, R, State = S>,
    {
        let Failed { kept, aborted } = failed;
        match self.decide(name, kept.error(), aborted, Ok(()), policy, rule) {
            Ok(pause) => ControlFlow::Continue(Paused::new(pause.delay, (kept, pause.info))),
            Err(stop) => {
                self.end(stop);
                ControlFlow::Break(kept.into_outcome())
            }
        }
    }

    /// Settles a failure of a call with hooks, which run between the verdict and the wait.
    #[cold]
    pub fn judge<K, P, R>(&mut self, name: N, policy: &P, rule: &R, failed: Failed<K>) -> Verdict<K>
    where
        S: Default,
        K: Unsuccessful,
        P: Decide<ErrorIn<K>, R, State = S>,
    {
        self.judge_if(Ok(()), name, policy, rule, failed)
    }

    /// Settles a failure as [`judge`](Self::judge), and gives up where a retry would follow unless the call is `ready`:
    /// the `before` hook of the first attempt may have said no.
    #[cold]
    pub fn judge_if<K, P, R>(
        &mut self,
        ready: Result<(), GiveUpReason>,
        name: N,
        policy: &P,
        rule: &R,
        Failed { kept, aborted }: Failed<K>,
    ) -> Verdict<K>
    where
        S: Default,
        K: Unsuccessful,
        P: Decide<ErrorIn<K>, R, State = S>,
    {
        match self.decide(name, kept.error(), aborted, ready, policy, rule) {
            Ok(pause) => Verdict::Retry(Retrying { kept, pause, aborted }),
            Err(stop) => Verdict::GiveUp(Over { kept, stop, aborted }),
        }
    }

    /// Ends a call without hooks after its wait.
    #[cold]
    pub fn fail<K: Unsuccessful>(
        &mut self,
        (kept, info): (K, FailureInfo),
        reason: GiveUpReason,
    ) -> K::Outcome {
        self.end(NoRetry { reason, info });
        kept.into_outcome()
    }

    /// Checks whether the attempt may begin, before its hook runs, and returns what refuses it.
    ///
    /// For a retry, this was checked after the wait.
    pub fn enter(&mut self) -> Option<Aborted> {
        if self.past.is_some() { None } else { self.clock.enter().err() }
    }

    /// Returns whether the attempt may begin, after its hook, whose result is `ready`.
    ///
    /// The first attempt is made in any case, because there is no error yet to return; then this returns `ready`.
    ///
    /// # Errors
    ///
    /// Returns the end of the call after the attempt before.
    pub fn go_on<K>(
        &mut self,
        last: Option<Retrying<K>>,
        ready: Result<(), GiveUpReason>,
    ) -> Result<Result<(), GiveUpReason>, Over<K>> {
        let Some(retry) = last else { return Ok(ready) };
        match ready.and_then(|()| self.may_begin()) {
            Ok(()) => Ok(Ok(())),
            Err(reason) => Err(retry.stop(reason)),
        }
    }

    /// Returns how long a hook can take.
    pub fn patience(&self) -> Patience<C::Watch> {
        Patience { deadline: self.clock.deadline(), watch: self.clock.watch() }
    }

    /// Notes a success.
    #[inline]
    pub(crate) fn succeed(&mut self, name: N) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.succeeded();
        }
        #[cfg(feature = "metrics")]
        {
            self.open = None;
        }
        match self.past.take() {
            Some(past) => succeeded_after_retry(&past, &self.clock, "success"),
            None => telemetry::succeeded_at_once(name),
        }
    }

    /// Keeps the text of an error for the events that follow.
    ///
    /// By value: a borrow in a function that awaits something afterwards would have to be `Send`.
    #[cold]
    pub fn explain<K: Unsuccessful>(
        &mut self,
        name: N,
        failed: Failed<K>,
        print: Option<Print<ErrorIn<K>>>,
    ) -> Failed<K>
    where
        S: Default,
    {
        let error = failed.kept.error().zip(print);
        let text = error.map(|(error, print)| move || Printed(error, print).to_string());
        let message = text.as_ref().and_then(telemetry::message);
        let previous = text.filter(|_| C::ABORTS && failed.aborted.is_none());
        let previous = previous.map(|text| PreviousError::new(text()));
        self.past(name).texts.explain(message, previous);
        failed
    }

    /// Runs a part of an attempt, and ends the call if it panics.
    #[inline]
    pub(crate) fn watch_panics<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let unwinding = Unwinding(self);
        let value = run();
        mem::forget(unwinding);
        value
    }

    /// Ends a call that is dropped before its end, or whose attempt panicked.
    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        let panicked = scope::has_panicked();
        if panicked && let Some(guarding) = self.clock.guarding() {
            guarding.panicked();
        }
        #[cfg(feature = "metrics")]
        if let Some(name) = self.open.take() {
            telemetry::ended_midway(name, if panicked { "panicked" } else { "cancelled" });
        }
        let Some(past) = self.past.take() else { return };
        if past.ended != 0 {
            // Only now, because its hook may have taken a while.
            return scope::ended_inside(past.session.attempt() > 1);
        }
        let told = past.told(self.clock.measured());
        if panicked { telemetry::panicked(told) } else { telemetry::dropped(told) }
    }

    /// Returns what is remembered, from the first failure on.
    pub(crate) fn past(&mut self, name: N) -> &mut Past<S, N>
    where
        S: Default,
    {
        #[cfg(feature = "metrics")]
        {
            self.open = None;
        }
        self.past.get_or_insert_with(|| {
            let mut session = Session::new();
            session.begin();
            let record = testing::Record::new();
            let texts = Texts::default();
            Past { session, name, record, ending: Ending::FAILED, texts, ended: 0 }
        })
    }
}

/// A call that is dropped is over, too.
impl<S, C: Clock, N: Name> Drop for Call<S, C, N> {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        let is_open = self.open.is_some();
        #[cfg(not(feature = "metrics"))]
        let is_open = false;
        let is_admitted = self.clock.guarding().is_some_and(|guarding| guarding.is_admitted());
        if is_open || is_admitted || self.past.is_some() {
            self.abandon();
        }
    }
}

/// Ends a call whose attempt unwinds: a future that is polled by hand is dropped only later.
struct Unwinding<'a, S, C: Clock, N: Name>(&'a mut Call<S, C, N>);

impl<S, C: Clock, N: Name> Drop for Unwinding<'_, S, C, N> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cold]
#[inline(never)]
pub(crate) fn succeeded_after_retry<S, N: Name>(
    past: &Past<S, N>,
    clock: &impl Clock,
    outcome: &'static str,
) {
    scope::ended_inside(false);
    telemetry::succeeded_after_retry(past.told(clock.measured()), outcome);
}
