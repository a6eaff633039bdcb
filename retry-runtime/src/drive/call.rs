use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{
    rest::Rest,
    scope::{self, Begun, Scoped},
};
use crate::{
    Advice, Attempt, Cost, Cut, Decide, Decision, Failure, GiveUp, Nested, On, Pause, Policy,
    Reason, Session, Stop,
    drive::{Clock, Clocked, CutInto, Guarding, Outcome},
    telemetry, testing,
};

/// One call: its session, its clock and its guards.
///
/// The session begins with the first failure: a call that succeeds at once has none to set up.
#[derive(Debug)]
pub struct Call<S, C: Clock, N: Name = &'static str> {
    clock: C,
    past: Option<Past<S, N>>,
}

/// What a call that failed once remembers.
#[derive(Debug)]
struct Past<S, N> {
    session: Session<S>,
    name: N,
    /// Whether the end of the call is still to be told.
    is_open: bool,
}

/// The name of an operation, for hooks and telemetry.
///
/// A type, because every call carries it: the attribute gives a reference, which is half as long as the text's.
pub trait Name: Copy {
    /// Returns the text.
    fn text(self) -> &'static str;
}

impl Name for &'static str {
    #[inline]
    fn text(self) -> &'static str {
        self
    }
}

impl Name for &'static &'static str {
    #[inline]
    fn text(self) -> &'static str {
        self
    }
}

/// No name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unnamed;

impl Name for Unnamed {
    #[inline]
    fn text(self) -> &'static str {
        ""
    }
}

/// How much longer than the policy says a wait may be because the server asks for it; that of the AWS SDKs of 2026.
const LONGEST_HINT: Duration = Duration::from_secs(5);

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

    #[inline]
    fn new<P: Policy<State = S>>(policy: &P) -> Self {
        Self { clock: C::start(|| policy.limits(), || policy.guards()), past: None }
    }
}

impl<S, C: Clock, N: Name> Call<S, C, N> {
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
    fn attempt(&self) -> u32 {
        self.past.as_ref().map_or(1, |past| past.session.attempt())
    }

    /// Runs the attempt that began under the time limits of the call.
    #[inline]
    pub fn run<F: Future>(&mut self, begun: Begun, attempt: F) -> Scoped<C::Running<F>> {
        Scoped::new(begun, self.clock.run(begun.attempt(), attempt, None))
    }

    /// Runs the attempt that began, on a thread that it may block; only a deadline that has passed stops it.
    #[inline]
    pub fn run_blocking<R>(&mut self, begun: Begun, attempt: impl FnOnce() -> R) -> C::Ended<R> {
        let clock = &mut self.clock;
        begun.scoped(|| clock.run_blocking(begun.attempt(), attempt, None))
    }

    /// Waits as [`wait`](Self::wait), blocking the thread.
    pub fn wait_blocking<O>(&mut self, paused: Paused<O, C>) -> Option<O> {
        self.clock.sleep(paused.delay);
        self.resume(paused.kept)
    }

    /// Waits as [`pause`](Self::pause), blocking the thread.
    ///
    /// # Errors
    ///
    /// Returns why there is to be no other attempt.
    pub fn pause_blocking(&mut self, delay: Duration) -> Result<(), Reason> {
        self.clock.sleep(delay);
        self.may_resume()
    }

    /// Returns the outcome of an attempt that succeeded.
    ///
    /// # Errors
    ///
    /// Returns the failure of one that did not, about which the policy is to be asked.
    #[inline]
    pub fn finish<O>(
        &mut self,
        name: N,
        ended: C::Ended<O>,
        retry_value: impl FnOnce(&O::Ok) -> bool,
    ) -> Result<O, Failed<O>>
    where
        O: Outcome,
        C: CutInto<O>,
    {
        let (outcome, cut) = C::outcome(ended);
        match outcome.into_result() {
            Ok(value) if !retry_value(&value) => {
                self.succeed(name);
                Ok(O::from_result(Ok(value)))
            }
            result => Err(Failed { outcome: O::from_result(result), cut }),
        }
    }

    /// Settles a failure of a call without hooks: the outcome to return, or the wait.
    #[cold]
    pub fn settle<O, P, R>(
        &mut self,
        name: N,
        policy: &P,
        rule: &R,
        failed: Failed<O>,
    ) -> ControlFlow<O, Paused<O, C>>
    where
        S: Default,
        O: Outcome,
        P: Decide<O::Error, R, State = S>,
    {
        match self.judge(name, policy, rule, failed) {
            Verdict::GiveUp(outcome, stop, _) => {
                self.end(stop);
                ControlFlow::Break(outcome)
            }
            Verdict::Retry(outcome, pause, _) => ControlFlow::Continue(Paused {
                delay: pause.delay,
                kept: C::keep((outcome, pause.advice)),
            }),
        }
    }

    /// Settles a failure of a call with hooks, which run between the verdict and the wait.
    #[cold]
    pub fn judge<O, P, R>(
        &mut self,
        name: N,
        policy: &P,
        rule: &R,
        Failed { outcome, cut }: Failed<O>,
    ) -> Verdict<O>
    where
        S: Default,
        O: Outcome,
        P: Decide<O::Error, R, State = S>,
    {
        match self.decide(name, outcome.as_result().err(), cut, policy, rule) {
            Ok(pause) => Verdict::Retry(outcome, pause, cut),
            Err(stop) => Verdict::GiveUp(outcome, stop, cut),
        }
    }

    /// Pays for the retries from a budget, unless the policy brings its own.
    #[cfg(feature = "fred")]
    pub(crate) fn pay_from(&mut self, budget: impl FnOnce() -> crate::Budget) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.pay_from(budget);
        }
    }

    /// Begins an attempt that is not run here.
    ///
    /// # Errors
    ///
    /// Returns why a first attempt is refused.
    #[cfg(feature = "fred")]
    pub(crate) fn admit(&mut self) -> Result<(), Cut> {
        let number = self.attempt();
        self.clock.guarding().map_or(Ok(()), |guarding| guarding.begin(number))
    }

    /// Notes a failure after which no policy is asked.
    #[cfg(feature = "fred")]
    pub(crate) fn forbid(&mut self, name: N, stop: Stop)
    where
        S: Default,
    {
        self.past(name);
        if let Some(guarding) = self.clock.guarding() {
            // Nothing follows, so nothing is refused.
            let _ = guarding.failed(&Err(stop), Cost::Free, false);
        }
    }

    /// Notes a success.
    #[inline]
    pub(crate) fn succeed(&mut self, name: N) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.succeeded();
        }
        // Taken, so that the compiler knows that dropping the call has nothing to tell.
        match self.past.take() {
            Some(past) => succeeded_after_retry(&past, &self.clock),
            None => telemetry::succeeded_at_once(name),
        }
    }

    /// Returns what is remembered, from the first failure on.
    fn past(&mut self, name: N) -> &mut Past<S, N>
    where
        S: Default,
    {
        self.past.get_or_insert_with(|| {
            let mut session = Session::new();
            session.begin();
            Past { session, name, is_open: false }
        })
    }

    fn decide<E, P, R>(
        &mut self,
        name: N,
        error: Option<&E>,
        cut: Option<Cut>,
        policy: &P,
        rule: &R,
    ) -> Result<Pause, Stop>
    where
        S: Default,
        P: Decide<E, R, State = S>,
    {
        self.past(name);
        let decision = match self.ask(name, error, cut, policy, rule) {
            Ok(pause) => {
                self.check_nested(name, policy).map(|()| pause).map_err(|reason| pause.stop(reason))
            }
            stop => stop,
        };
        let Some(guarding) = self.clock.guarding() else { return self.told(name, decision) };
        let polls = error.is_none() && cut.is_none();
        let cost = match &decision {
            Ok(pause) if !polls => pause.advice.cost,
            _ => Cost::Free,
        };
        let checked = guarding.failed(&decision, cost, polls);
        telemetry::guards(name.text(), guarding);
        let decision =
            decision.and_then(|pause| checked.map(|()| pause).map_err(|reason| pause.stop(reason)));
        self.told(name, decision)
    }

    /// Asks the policy and the deadline.
    fn ask<E, P, R>(
        &mut self,
        name: N,
        error: Option<&E>,
        cut: Option<Cut>,
        policy: &P,
        rule: &R,
    ) -> Result<Pause, Stop>
    where
        S: Default,
        P: Decide<E, R, State = S>,
    {
        let refused = match cut {
            Some(Cut::Deadline(_)) => Some(Reason::Deadline),
            Some(Cut::Cancelled) => Some(Reason::Cancelled),
            Some(Cut::BreakerOpen(_)) => Some(Reason::BreakerOpen),
            Some(Cut::AttemptTimeout(_)) | None => None,
        };
        if let Some(reason) = refused {
            return Err(Stop { reason, advice: Advice::NONE });
        }
        if self.clock.guarding().is_some_and(|guarding| guarding.was_healthy()) {
            self.past(name).session.reset();
        }
        let failure = self.describe(error, cut, Duration::ZERO);
        let session = &mut self.past(name).session;
        let decision =
            testing::with_random(|random| session.settle(&failure, policy, rule, random));
        let mut pause = match decision {
            Decision::Retry(pause) => pause,
            Decision::Stop(stop) => {
                let timed_out = matches!(cut, Some(Cut::AttemptTimeout(_)))
                    && matches!(stop.reason, Reason::NotRetryable | Reason::NotIdempotent);
                return Err(if timed_out {
                    Stop { reason: Reason::AttemptTimeout, ..stop }
                } else {
                    stop
                });
            }
        };
        if let Some(asked) = pause.advice.retry_after {
            pause.delay = asked.clamp(pause.delay, pause.delay.saturating_add(LONGEST_HINT));
        }
        testing::limit(self.attempt(), &mut pause)?;
        self.check_time(&pause).map_err(|reason| pause.stop(reason))?;
        Ok(pause)
    }

    /// Asks who of nested calls retries; tells once that both do.
    fn check_nested<P: Policy>(&mut self, name: N, policy: &P) -> Result<(), Reason> {
        let inside = scope::was_retried_inside();
        let nested = self.clock.guarding().map_or(Nested::Allow, |guarding| guarding.nested());
        if inside && nested == Nested::InnerOnly {
            return Err(Reason::Nested);
        }
        let enclosing = scope::enclosing();
        if enclosing.attempt == 0 {
            return Ok(());
        }
        if enclosing.nested == Nested::OuterOnly {
            return Err(Reason::Nested);
        }
        scope::mark_retried();
        let is_first = self.past.as_ref().is_none_or(|past| !past.is_open);
        if is_first && enclosing.nested == Nested::Allow {
            telemetry::nested(name.text(), &enclosing, enclosing.multiplied(policy.attempts()));
        }
        Ok(())
    }

    /// Tells telemetry of a failure that is retried; the end is told by [`end`](Self::end).
    fn told(&mut self, name: N, decision: Result<Pause, Stop>) -> Result<Pause, Stop>
    where
        S: Default,
    {
        if let Ok(pause) = &decision {
            self.past(name).is_open = true;
            telemetry::retrying(name.text(), self.attempt(), self.clock.elapsed(), pause);
        }
        decision
    }

    /// Ends the call without success.
    #[cold]
    fn end(&mut self, stop: Stop) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.call_off();
        }
        let elapsed = self.clock.elapsed();
        if let Some(past) = &mut self.past {
            past.is_open = false;
            telemetry::gave_up(past.name.text(), past.session.attempt(), elapsed, &stop);
        }
    }

    /// Waits before the next attempt; returns the outcome of the last one if there is to be none.
    pub fn wait<O>(&mut self, paused: Paused<O, C>) -> Waiting<'_, S, C, N, O> {
        let rest = self.rest(paused.delay);
        Waiting { call: self, rest, kept: Some(paused.kept) }
    }

    /// Ends a wait: returns the outcome of the last attempt if there is to be no other.
    pub(crate) fn resume<O>(&mut self, kept: C::Kept<(O, Advice)>) -> Option<O> {
        let reason = self.may_resume().err()?;
        let (outcome, advice) = C::kept(kept)?;
        self.end(Stop { reason, advice });
        Some(outcome)
    }

    /// Waits, at most until the call is cancelled.
    pub(crate) fn rest(&self, delay: Duration) -> Rest<C::Watch> {
        Rest::new(delay, self.clock.watch())
    }

    /// Tells whether another attempt may begin after the wait.
    pub(crate) fn may_resume(&mut self) -> Result<(), Reason> {
        self.clock.guarding().map_or(Ok(()), Guarding::resume)
    }

    /// Waits before the next attempt of a call with hooks.
    ///
    /// # Errors
    ///
    /// Returns why there is to be none.
    pub async fn pause(&mut self, delay: Duration) -> Result<(), Reason> {
        self.rest(delay).await;
        self.may_resume()
    }

    /// Describes the attempt that is about to begin, for the `before` hook.
    pub fn upcoming(&self) -> Attempt {
        let number = self.past.as_ref().map_or(1, |past| past.session.attempt().saturating_add(1));
        let elapsed = if number == 1 { Duration::ZERO } else { self.clock.elapsed() };
        Attempt { number, elapsed }
    }

    /// Describes the attempt that began, for the `before` hook of a client.
    #[cfg(feature = "fred")]
    pub(crate) fn current(&self) -> Attempt {
        let number = self.attempt();
        let elapsed = if number <= 1 { Duration::ZERO } else { self.clock.elapsed() };
        Attempt { number, elapsed }
    }

    /// Describes the failure that `pause` follows, for the `on_failure` hook.
    pub fn failure<'a, O: Outcome>(
        &self,
        outcome: &'a O,
        pause: &Pause,
        cut: Option<Cut>,
    ) -> Failure<'a, O::Error> {
        self.describe(outcome.as_result().err(), cut, pause.delay)
    }

    /// Ends a call with hooks without success, and describes its last failure for the `on_give_up` hook.
    pub fn give_up<'a, O: Outcome>(
        &mut self,
        outcome: &'a O,
        stop: Stop,
        cut: Option<Cut>,
    ) -> GiveUp<'a, O::Error> {
        self.end(stop);
        let failure = self.describe(outcome.as_result().err(), cut, Duration::ZERO);
        GiveUp { failure, reason: stop.reason }
    }

    /// Returns when the call has to end.
    pub fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    /// Tells whether the next attempt would start too late, after the hooks took their time.
    ///
    /// # Errors
    ///
    /// Returns [`Reason::Deadline`] if it would.
    pub fn check_time(&self, pause: &Pause) -> Result<(), Reason> {
        let starts = || self.clock.elapsed().saturating_add(pause.delay);
        let late = pause.start_before.is_some_and(|limit| starts() >= limit)
            || self.clock.deadline().is_some_and(|deadline| passes(deadline, pause.delay));
        if late { Err(Reason::Deadline) } else { Ok(()) }
    }

    /// Names the error type of an attempt's end, so that the closures of `on` need no annotations.
    pub fn error_type<O: Outcome>(&self, _: &Failed<O>) -> ErrorType<O::Error> {
        ErrorType(PhantomData)
    }

    fn describe<'a, E>(
        &self,
        error: Option<&'a E>,
        cut: Option<Cut>,
        delay: Duration,
    ) -> Failure<'a, E> {
        let operation = self.past.as_ref().map_or("", |past| past.name.text());
        let attempt = self.attempt();
        Failure { operation, attempt, elapsed: self.clock.elapsed(), delay, error, cut }
    }
}

/// A call that is dropped after a failure is over, too.
impl<S, C: Clock, N: Name> Drop for Call<S, C, N> {
    #[inline]
    fn drop(&mut self) {
        if let Some(past) = &self.past {
            dropped(past, &self.clock);
        }
    }
}

#[cold]
#[inline(never)]
fn succeeded_after_retry<S, N: Name>(past: &Past<S, N>, clock: &impl Clock) {
    telemetry::succeeded_after_retry(past.name.text(), past.session.attempt(), clock.elapsed());
}

#[cold]
#[inline(never)]
fn dropped<S, N: Name>(past: &Past<S, N>, clock: &impl Clock) {
    if past.is_open {
        telemetry::dropped(past.name.text(), past.session.attempt(), clock.elapsed());
    }
}

/// The timer of tokio rounds up to milliseconds: a wait that ends closer to the deadline may end after it, when the
/// error that the caller is to get is gone.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

fn passes(deadline: Instant, delay: Duration) -> bool {
    let rounding = if delay.is_zero() { Duration::ZERO } else { TIMER_RESOLUTION };
    let longest = delay.saturating_add(rounding);
    Instant::now()
        .checked_add(longest)
        .is_none_or(|next| next > deadline || delay.is_zero() && next == deadline)
}

/// The wait that follows a failure, and what is kept of the failure.
pub struct Paused<O, C: Clock> {
    pub(crate) delay: Duration,
    pub(crate) kept: C::Kept<(O, Advice)>,
}

impl<O, C: Clock> fmt::Debug for Paused<O, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Paused").field("delay", &self.delay).finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait before the next attempt of a call without hooks.
    pub struct Waiting<'a, S, C: Clock, N: Name, O> {
        call: &'a mut Call<S, C, N>,
        #[pin]
        rest: Rest<C::Watch>,
        kept: Option<C::Kept<(O, Advice)>>,
    }
}

impl<S, C: Clock, N: Name, O> fmt::Debug for Waiting<'_, S, C, N, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl<S, C: Clock, N: Name, O> Future for Waiting<'_, S, C, N, O> {
    type Output = Option<O>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<O>> {
        let this = self.project();
        ready!(this.rest.poll(context));
        Poll::Ready(this.kept.take().and_then(|kept| this.call.resume(kept)))
    }
}

/// An attempt that did not succeed.
#[derive(Debug)]
pub struct Failed<O> {
    outcome: O,
    cut: Option<Cut>,
}

#[cfg(feature = "fred")]
impl<O> Failed<O> {
    /// Takes an outcome for a failure.
    pub(crate) fn with(outcome: O) -> Self {
        Self { outcome, cut: None }
    }
}

/// What follows a failed attempt of a call with hooks.
#[derive(Debug)]
pub enum Verdict<O> {
    /// The failure to return, and why.
    GiveUp(O, Stop, Option<Cut>),
    /// The failure to repair, and the wait that follows.
    Retry(O, Pause, Option<Cut>),
}

impl<O> Verdict<O> {
    /// Gives up where a retry would follow although `stopped` says that none may.
    pub fn unless(self, stopped: Result<(), Reason>) -> Self {
        match (self, stopped) {
            (Self::Retry(outcome, pause, cut), Err(reason)) => {
                Self::GiveUp(outcome, pause.stop(reason), cut)
            }
            (verdict, _) => verdict,
        }
    }
}

/// Stands for the error type of a call.
#[derive(Debug)]
pub struct ErrorType<E>(PhantomData<fn() -> E>);

impl<E> Clone for ErrorType<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrorType<E> {}

/// Makes `policy` retry the errors for which a closure says so.
pub fn on_error<E, P, M: Fn(&E) -> bool>(_: ErrorType<E>, policy: P, rule: M) -> On<P, M> {
    On { policy, rule }
}
