//! What watches over a call beside its policy.

use std::{
    future::Future,
    sync::LazyLock,
    time::{Duration, Instant as StdInstant},
};

use tokio::time::Instant;

use crate::{
    Admission, Charge, CircuitState, Cost, Cut, FailureReport, Guards, Nested, Pause, Permit,
    Policy, Reason, Stop,
    drive::{Clock, CutInto, Token, token::Watch},
};

/// A clock with guards.
#[derive(Debug)]
pub struct Guard<C> {
    clock: C,
    guarding: Guarding,
}

/// The guards of one call, and what they gave it.
#[derive(Debug, Default)]
pub struct Guarding {
    guards: Guards,
    admission: Option<Admission>,
    /// Of a retry that has not begun; dropped, it gives its tokens back.
    permit: Option<Permit>,
    charge: Option<Charge>,
    /// When the attempt began; only if it matters how long it runs.
    began: Option<Instant>,
}

/// Breakers count time from here: the day before they are first asked, because a clock that another test has paused
/// stands still at an earlier time. A machine that has just started has no such day.
static ORIGIN: LazyLock<StdInstant> = LazyLock::new(|| {
    let now = StdInstant::now();
    now.checked_sub(DAY).unwrap_or(now)
});

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a cancelled call may block its thread at most.
const SLICE: Duration = Duration::from_millis(20);

fn now() -> Duration {
    let origin = *ORIGIN;
    Instant::now().into_std().saturating_duration_since(origin)
}

impl Guarding {
    /// Pays for the retries from a budget, unless there is one.
    #[cfg(feature = "fred")]
    pub(crate) fn pay_from(&mut self, budget: impl FnOnce() -> crate::Budget) {
        self.guards.budget.get_or_insert_with(budget);
    }

    /// Begins an attempt; only the first can be refused here, [`resume`](Self::resume) asks for the others.
    pub(crate) fn begin(&mut self, number: u32) -> Result<(), Cut> {
        if number <= 1 {
            if self.is_cancelled() {
                return Err(Cut::Cancelled);
            }
            self.admit().map_err(Cut::BreakerOpen)?;
        }
        self.charge = self.permit.take().map(Permit::start);
        self.began = self.guards.reset_after.map(|_| Instant::now());
        Ok(())
    }

    fn admit(&mut self) -> Result<(), crate::Rejected> {
        if let Some(breaker) = &self.guards.breaker {
            self.admission = Some(breaker.admit(now())?);
        }
        Ok(())
    }

    /// Asks whether another attempt may begin after the wait.
    pub(crate) fn resume(&mut self) -> Result<(), Reason> {
        self.check_cancelled()?;
        self.admit().map_err(|_| Reason::BreakerOpen)
    }

    /// Asks whether the call may go on.
    pub(crate) fn check_cancelled(&self) -> Result<(), Reason> {
        if self.is_cancelled() { Err(Reason::Cancelled) } else { Ok(()) }
    }

    /// Tells the guards of a success.
    #[inline]
    pub(crate) fn succeeded(&mut self) {
        if let (Some(breaker), Some(admission)) = (&self.guards.breaker, self.admission.take()) {
            breaker.succeeded(admission, now());
        }
        if let Some(budget) = &self.guards.budget {
            match self.charge.take() {
                Some(charge) => budget.refund(charge),
                None => budget.succeeded(),
            }
        }
    }

    /// Tells whether the attempt that ended ran so long that earlier ones do not count.
    pub(crate) fn was_healthy(&self) -> bool {
        match (self.began, self.guards.reset_after) {
            (Some(began), Some(healthy)) => began.elapsed() >= healthy,
            _ => false,
        }
    }

    /// Tells the guards how an attempt ended that was no success, and asks them whether another may follow.
    ///
    /// An attempt that `polls` was answered, only not yet as wanted.
    pub(crate) fn failed(
        &mut self,
        decision: &Result<Pause, Stop>,
        cost: Cost,
        polls: bool,
    ) -> Result<(), Reason> {
        if let (Some(charge), Some(budget), true) = (self.charge.take(), &self.guards.budget, polls)
        {
            budget.refund(charge);
        }
        if let (Some(breaker), Some(admission)) = (&self.guards.breaker, self.admission.take()) {
            let advice = decision.map_or_else(|stop| stop.advice, |pause| pause.advice);
            if !polls && breaker.counts(&FailureReport(advice)) {
                breaker.failed(admission, now());
            } else {
                breaker.succeeded(admission, now());
            }
        }
        if decision.is_err() {
            return Ok(());
        }
        self.check_cancelled()?;
        if let Some(breaker) = &self.guards.breaker
            && breaker.state(now()) == CircuitState::Open
        {
            return Err(Reason::BreakerOpen);
        }
        if let Some(budget) = &self.guards.budget {
            self.permit = Some(budget.withdraw(cost).map_err(|_| Reason::Budget)?);
        }
        Ok(())
    }

    /// Gives back what was paid for an attempt that will not be made, and its place at the breaker.
    pub(crate) fn call_off(&mut self) {
        self.permit = None;
        self.admission = None;
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn budget(&self) -> Option<crate::BudgetStatistics> {
        self.guards.budget.as_ref().map(crate::Budget::statistics)
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn circuit(&self) -> Option<CircuitState> {
        self.guards.breaker.as_ref().map(|breaker| breaker.state(now()))
    }

    /// Says which of nested calls retries.
    pub(crate) fn nested(&self) -> Nested {
        self.guards.nested
    }

    fn is_cancelled(&self) -> bool {
        self.guards.cancel.as_ref().is_some_and(Token::is_cancelled)
    }
}

impl<C: Clock> Guard<C> {
    /// Begins an attempt, unless it is too late: then nothing is paid, and nothing told to the breaker.
    fn begin(&mut self, number: u32) -> Result<(), Cut> {
        if let Some(cut) = self.clock.refusal() {
            self.guarding.call_off();
            return Err(cut);
        }
        self.guarding.begin(number)
    }
}

impl<C: Clock> Clock for Guard<C> {
    type Ended<R> = C::Ended<R>;
    type Running<F: Future> = C::Running<F>;
    type Kept<O> = Option<O>;
    type Watch = Option<Watch>;

    fn start<P: Policy>(policy: P) -> Self {
        let clock = C::start(&policy);
        let guarding = Guarding { guards: policy.into_guards(), ..Guarding::default() };
        Self { clock, guarding }
    }

    #[inline]
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    #[inline]
    fn deadline(&self) -> Option<Instant> {
        self.clock.deadline()
    }

    #[inline]
    fn refusal(&self) -> Option<Cut> {
        self.clock.refusal()
    }

    fn run<F: Future>(&mut self, number: u32, attempt: F, _: Option<Cut>) -> C::Running<F> {
        let refused = self.begin(number).err();
        self.clock.run(number, attempt, refused)
    }

    fn run_blocking<R>(
        &mut self,
        number: u32,
        attempt: impl FnOnce() -> R,
        _: Option<Cut>,
    ) -> C::Ended<R> {
        let refused = self.begin(number).err();
        self.clock.run_blocking(number, attempt, refused)
    }

    /// In slices: nothing wakes a thread that sleeps when the call is cancelled.
    fn sleep(&self, delay: Duration) {
        let begin = StdInstant::now();
        while !self.guarding.is_cancelled() {
            let left = delay.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    #[inline]
    fn guarding(&mut self) -> Option<&mut Guarding> {
        Some(&mut self.guarding)
    }

    fn watch(&self) -> Option<Watch> {
        self.guarding.guards.cancel.as_ref().map(Token::watch)
    }

    fn keep<O>(outcome: O) -> Option<O> {
        Some(outcome)
    }

    fn kept<O>(kept: Option<O>) -> Option<O> {
        kept
    }
}

impl<R, C: CutInto<R>> CutInto<R> for Guard<C> {
    fn outcome(ended: C::Ended<R>) -> (R, Option<Cut>) {
        C::outcome(ended)
    }

    fn peek(ended: &C::Ended<R>) -> Option<&R> {
        C::peek(ended)
    }
}
