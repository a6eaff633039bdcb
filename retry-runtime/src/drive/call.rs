use std::{marker::PhantomData, ops::ControlFlow, time::Duration};

use tokio::time::Instant;

use crate::{
    Attempt, Decide, Decision, Failure, GiveUp, On, Pause, Policy, Random, Reason, Session,
    TimeLimit,
    drive::{Clock, Clocked, CutInto, Outcome},
};

/// One call: its session and its clock.
#[derive(Debug)]
pub struct Call<S, C> {
    session: Session<S>,
    clock: C,
}

impl<S: Default, C: Clock> Call<S, C> {
    /// Starts a call without hooks.
    #[inline]
    pub fn start<P>(policy: &P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Bare = C>,
    {
        Self { session: Session::start(policy), clock: C::start(policy.limits()) }
    }

    /// Starts a call with hooks, which see the elapsed time.
    pub fn watched<P>(policy: &P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Watched = C>,
    {
        Self { session: Session::start(policy), clock: C::start(policy.limits()) }
    }
}

impl<S, C: Clock> Call<S, C> {
    /// Begins the next attempt and returns its number.
    #[inline]
    pub fn begin(&mut self) -> u32 {
        self.session.begin()
    }

    /// Runs the attempt that began under the time limits of the call.
    #[inline]
    pub fn run<F: Future>(&self, attempt: F) -> C::Running<F> {
        self.clock.run(self.session.attempt(), attempt)
    }

    /// Settles the end of an attempt of a call without hooks: the outcome to return, or the time to wait.
    #[inline]
    pub fn settle<O, P, R>(
        &mut self,
        policy: &P,
        rule: &R,
        ended: C::Ended<O>,
        retry_value: impl FnOnce(&O::Ok) -> bool,
    ) -> ControlFlow<O, Duration>
    where
        O: Outcome,
        C: CutInto<O>,
        P: Decide<O::Error, R, State = S>,
    {
        match self.judge(policy, rule, ended, retry_value) {
            Verdict::Success(outcome) | Verdict::GiveUp(outcome, _, _) => {
                ControlFlow::Break(outcome)
            }
            Verdict::Retry(_, pause, _) => ControlFlow::Continue(pause.delay),
        }
    }

    /// Settles the end of an attempt of a call with hooks, which run between the verdict and the wait.
    #[inline]
    pub fn judge<O, P, R>(
        &mut self,
        policy: &P,
        rule: &R,
        ended: C::Ended<O>,
        retry_value: impl FnOnce(&O::Ok) -> bool,
    ) -> Verdict<O>
    where
        O: Outcome,
        C: CutInto<O>,
        P: Decide<O::Error, R, State = S>,
    {
        let (outcome, cut) = C::outcome(ended);
        let error = match outcome.as_result() {
            Ok(value) if !retry_value(value) => return Verdict::Success(outcome),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        match self.decide(error, cut, policy, rule) {
            Decision::Retry(pause) => Verdict::Retry(outcome, pause, cut),
            Decision::Stop(reason) => Verdict::GiveUp(outcome, reason, cut),
        }
    }

    // Out of line: the caller's hot path is a success, which never comes here.
    #[cold]
    #[inline(never)]
    fn decide<E, P, R>(
        &mut self,
        error: Option<&E>,
        cut: Option<TimeLimit>,
        policy: &P,
        rule: &R,
    ) -> Decision
    where
        P: Decide<E, R, State = S>,
    {
        if let Some(TimeLimit::Deadline(_)) = cut {
            return Decision::Stop(Reason::Deadline);
        }
        let failure = self.describe(error, cut, Duration::ZERO);
        let decision =
            Random::with_thread_local(|random| self.session.settle(&failure, policy, rule, random));
        match decision {
            Decision::Retry(pause)
                if self.clock.deadline().is_some_and(|deadline| passes(deadline, pause.delay)) =>
            {
                Decision::Stop(Reason::Deadline)
            }
            decision => decision,
        }
    }

    /// Describes the attempt that is about to begin, for the `before` hook.
    pub fn upcoming(&self) -> Attempt {
        let number = self.session.attempt().saturating_add(1);
        let elapsed = if number == 1 { Duration::ZERO } else { self.clock.elapsed() };
        Attempt { number, elapsed }
    }

    /// Describes the failure that `pause` follows, for the `on_failure` hook.
    pub fn failure<'a, O: Outcome>(
        &self,
        operation: &'static str,
        outcome: &'a O,
        pause: &Pause,
        cut: Option<TimeLimit>,
    ) -> Failure<'a, O::Error> {
        Failure { operation, ..self.describe(outcome.as_result().err(), cut, pause.delay) }
    }

    /// Describes the last failure, for the `on_give_up` hook.
    pub fn give_up<'a, O: Outcome>(
        &self,
        operation: &'static str,
        outcome: &'a O,
        reason: Reason,
        cut: Option<TimeLimit>,
    ) -> GiveUp<'a, O::Error> {
        let failure = self.describe(outcome.as_result().err(), cut, Duration::ZERO);
        GiveUp { failure: Failure { operation, ..failure }, reason }
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
    pub fn error_type<O: Outcome>(&self, _: &C::Ended<O>) -> ErrorType<O::Error>
    where
        C: CutInto<O>,
    {
        ErrorType(PhantomData)
    }

    fn describe<'a, E>(
        &self,
        error: Option<&'a E>,
        cut: Option<TimeLimit>,
        delay: Duration,
    ) -> Failure<'a, E> {
        let attempt = self.session.attempt();
        Failure { operation: "", attempt, elapsed: self.clock.elapsed(), delay, error, cut }
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

/// What follows an attempt of a call with hooks.
#[derive(Debug)]
pub enum Verdict<O> {
    /// The value to return.
    Success(O),
    /// The failure to return, and why.
    GiveUp(O, Reason, Option<TimeLimit>),
    /// The failure to repair, and the wait that follows.
    Retry(O, Pause, Option<TimeLimit>),
}

impl<O> Verdict<O> {
    /// Gives up where a retry would follow although `stopped` says that none may.
    pub fn unless(self, stopped: Result<(), Reason>) -> Self {
        match (self, stopped) {
            (Self::Retry(outcome, _, cut), Err(reason)) => Self::GiveUp(outcome, reason, cut),
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

/// Waits before a retry; a delay of zero gives other tasks their turn without touching the timer.
pub async fn wait(delay: Duration) {
    if delay.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(delay).await;
    }
}
