use std::{future::Future, marker::PhantomData, ops::ControlFlow};

use tokio::time::Instant;

use super::{
    name::Name,
    scope::{self, Begun, Scoped},
    wait::Paused,
};
use crate::{
    Cut, Decide, Nested, On, Pause, Policy, Reason, Session, Stop,
    drive::{Clock, Clocked, CutInto, Outcome},
    telemetry::{self, Told},
    testing,
};

/// One call: its session, its clock and its guards.
///
/// The session begins with the first failure: a call that succeeds at once has none to set up.
/// It ends with the call, whose end is still to be told as long as there is one.
#[derive(Debug)]
pub struct Call<S, C: Clock, N: Name = &'static str> {
    pub(super) clock: C,
    pub(super) past: Option<Past<S, N>>,
}

/// What a call that failed once remembers.
#[derive(Debug)]
pub(super) struct Past<S, N> {
    pub(super) session: Session<S>,
    pub(super) name: N,
    pub(super) record: testing::Record,
    /// Not zero when the end was told, and only a hook follows; no `bool`, whose spare values would take the place of
    /// those by which the first attempt sees at once that there is no past.
    pub(super) ended: u8,
}

impl<S, N: Name> Past<S, N> {
    /// Returns what telemetry knows the attempt by.
    pub(super) fn told(&self) -> Told {
        Told { operation: self.name.text(), attempt: self.session.attempt(), record: self.record }
    }
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

    /// Starts a call without hooks, with guards made for it alone.
    pub fn start_guarded<P>(policy: P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Bare = C>,
    {
        Self::new(policy)
    }

    /// Starts a call with hooks, with guards made for it alone.
    pub fn watched_guarded<P>(policy: P) -> Self
    where
        P: Policy<State = S>,
        P::Timing: Clocked<Watched = C>,
    {
        Self::new(policy)
    }

    #[inline]
    fn new<P: Policy<State = S>>(policy: P) -> Self {
        Self { clock: C::start(policy), past: None }
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
    pub(super) fn attempt(&self) -> u32 {
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

    /// Notes a success.
    #[inline]
    pub(crate) fn succeed(&mut self, name: N) {
        if let Some(guarding) = self.clock.guarding() {
            guarding.succeeded();
        }
        match self.past.take() {
            Some(past) => succeeded_after_retry(&past, &mut self.clock),
            None => telemetry::succeeded_at_once(name),
        }
    }

    /// Returns what is remembered, from the first failure on.
    pub(super) fn past(&mut self, name: N) -> &mut Past<S, N>
    where
        S: Default,
    {
        self.past.get_or_insert_with(|| {
            let mut session = Session::new();
            session.begin();
            Past { session, name, record: testing::Record::new(), ended: 0 }
        })
    }

    /// Returns when the call has to end.
    pub fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    /// Names the error type of an attempt's end, so that the closures of `on` need no annotations.
    pub fn error_type<O: Outcome>(&self, _: &Failed<O>) -> ErrorType<O::Error> {
        ErrorType(PhantomData)
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
fn succeeded_after_retry<S, N: Name>(past: &Past<S, N>, clock: &mut impl Clock) {
    scope::ended_inside(false);
    if let Some(guarding) = clock.guarding() {
        telemetry::guards(past.name.text(), guarding);
    }
    telemetry::succeeded_after_retry(past.told(), clock.elapsed());
}

#[cold]
#[inline(never)]
fn dropped<S, N: Name>(past: &Past<S, N>, clock: &impl Clock) {
    if past.ended != 0 {
        // Only now, because its hook may have taken its time.
        return scope::ended_inside(past.session.attempt() > 1);
    }
    telemetry::dropped(past.told(), clock.elapsed());
}

/// An attempt that did not succeed.
#[derive(Debug)]
pub struct Failed<O> {
    pub(super) outcome: O,
    pub(super) cut: Option<Cut>,
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
