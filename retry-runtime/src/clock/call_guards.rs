//! The guards of one call.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    clock::sleep::Watches,
    failure::{
        GiveUpReason, aborted::Aborted, cost::Cost, info::FailureReport, rejected::Rejected,
    },
    overload::{Admission, Charge, CircuitState, Permit},
    policy::{Guards, Nested, NoRetry, RetryDelay, Token},
};

/// The guards of one call, and what they have granted.
#[derive(Debug)]
pub struct CallGuards {
    guards: Guards,
    admission: Option<Admission>,
    /// Of a retry that has not begun; dropping it gives the tokens back.
    permit: Option<Permit>,
    charge: Option<Charge>,
    pub(super) times: Option<Times>,
    /// The second guards of a kind, asked after these.
    more: Option<Box<CallGuards>>,
}

/// When the call and its attempt began; only if it matters how long they run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) call: Instant,
    attempt: Option<Instant>,
}

impl CallGuards {
    #[inline]
    pub(super) fn new(guards: Guards) -> Self {
        let mut guarding =
            Self { guards, admission: None, permit: None, charge: None, times: None, more: None };
        if guarding.guards.more.is_some() {
            guarding.extend();
        }
        guarding
    }

    #[cold]
    fn extend(&mut self) {
        self.more = self.guards.more.take().map(|more| Box::new(Self::new(*more)));
    }

    /// Pays for the retries from a budget, unless there is one.
    #[cfg(feature = "fred")]
    pub(crate) fn pay_from(&mut self, budget: impl FnOnce() -> crate::overload::Budget) {
        self.guards.budget.get_or_insert_with(budget);
    }

    /// Begins an attempt; only the first can be refused here, [`resume`](Self::resume) checks the others.
    pub(crate) fn begin(&mut self, number: u32) -> Result<(), Aborted> {
        if number <= 1 {
            if self.is_cancelled() {
                self.call_off();
                return Err(Aborted::Cancelled);
            }
            // A call with hooks has asked before the first of them.
            if !self.is_admitted() {
                self.admit().map_err(Aborted::BreakerOpen)?;
            }
        }
        self.spend();
        if self.guards.times {
            let now = Instant::now();
            self.times.get_or_insert(Times { call: now, attempt: None }).attempt = Some(now);
        }
        Ok(())
    }

    /// Checks the first attempt before its hook runs.
    pub(super) fn enter(&mut self) -> Result<(), Aborted> {
        if self.is_cancelled() {
            return Err(Aborted::Cancelled);
        }
        self.admit().map_err(Aborted::BreakerOpen)
    }

    /// Returns whether a breaker has admitted an attempt that is running or about to begin.
    #[inline]
    pub(crate) fn is_admitted(&self) -> bool {
        self.admission.is_some() || self.more.as_ref().is_some_and(|more| more.is_admitted())
    }

    /// Asks every breaker; if one rejects, the admissions of the others are dropped.
    #[inline]
    fn admit(&mut self) -> Result<(), Rejected> {
        if let Some(breaker) = &self.guards.breaker {
            self.admission = Some(breaker.admit()?);
        }
        match &self.more {
            None => Ok(()),
            Some(_) => self.admit_further(),
        }
    }

    #[cold]
    fn admit_further(&mut self) -> Result<(), Rejected> {
        let Some(more) = &mut self.more else { return Ok(()) };
        more.admit().inspect_err(|_| self.admission = None)
    }

    #[inline]
    fn spend(&mut self) {
        self.charge = self.permit.take().map(Permit::start);
        if let Some(more) = &mut self.more {
            more.spend_further();
        }
    }

    #[cold]
    fn spend_further(&mut self) {
        self.spend();
    }

    /// Checks whether another attempt may begin after the wait.
    pub(crate) fn resume(&mut self) -> Result<(), GiveUpReason> {
        self.check_cancelled()?;
        self.admit().map_err(|_| GiveUpReason::BreakerOpen)
    }

    /// Checks whether the call may go on.
    pub(crate) fn check_cancelled(&self) -> Result<(), GiveUpReason> {
        if self.is_cancelled() { Err(GiveUpReason::Cancelled) } else { Ok(()) }
    }

    /// Reports a success to the guards.
    #[inline]
    pub(crate) fn succeeded(&mut self) {
        if let (Some(breaker), Some(admission)) = (&self.guards.breaker, self.admission.take()) {
            breaker.succeeded(admission);
        }
        if let Some(budget) = &self.guards.budget {
            match self.charge.take() {
                Some(charge) => budget.refund(charge),
                None => budget.succeeded(),
            }
        }
        if let Some(more) = &mut self.more {
            more.succeeded_further();
        }
    }

    #[cold]
    fn succeeded_further(&mut self) {
        self.succeeded();
    }

    /// Returns how long the last attempt ran, if that matters.
    pub(crate) fn ran(&self) -> Option<Duration> {
        Some(self.times?.attempt?.elapsed())
    }

    /// Forgets how long the attempt ran, because it was aborted.
    #[cfg(feature = "fred")]
    pub(crate) fn was_cut(&mut self) {
        if let Some(times) = &mut self.times {
            times.attempt = None;
        }
    }

    /// Reports an attempt without success to the guards, and asks them whether another may follow.
    ///
    /// With `polls`, the attempt got an answer, but not yet the wanted one.
    pub(crate) fn failed(
        &mut self,
        decision: &Result<RetryDelay, NoRetry>,
        cost: Cost,
        polls: bool,
    ) -> Result<(), GiveUpReason> {
        let info = decision.map_or_else(|stop| stop.info, |pause| pause.info);
        self.report(&FailureReport(info), polls);
        let Ok(pause) = decision else { return Ok(()) };
        self.check_cancelled()?;
        self.check_open()?;
        self.pay(cost, pause.info.spared)
    }

    fn report(&mut self, failure: &FailureReport, polls: bool) {
        if let (Some(charge), Some(budget), true) = (self.charge.take(), &self.guards.budget, polls)
        {
            budget.refund(charge);
        }
        if let (Some(breaker), Some(admission)) = (&self.guards.breaker, self.admission.take()) {
            if !polls && breaker.counts(failure) {
                breaker.failed(admission);
            } else {
                breaker.succeeded(admission);
            }
        }
        if let Some(more) = &mut self.more {
            more.report(failure, polls);
        }
    }

    fn check_open(&self) -> Result<(), GiveUpReason> {
        if let Some(breaker) = &self.guards.breaker
            && matches!(breaker.state(), CircuitState::Open | CircuitState::ForcedOpen)
        {
            return Err(GiveUpReason::BreakerOpen);
        }
        self.more.as_ref().map_or(Ok(()), |more| more.check_open())
    }

    /// Takes the cost from every budget that is not spared (one bit each); an empty budget ends the call.
    fn pay(&mut self, cost: Cost, spared: u32) -> Result<(), GiveUpReason> {
        if let Some(budget) = &self.guards.budget
            && spared & 1 == 0
        {
            self.permit = Some(budget.withdraw(cost).map_err(|_| GiveUpReason::Budget)?);
        }
        self.more.as_mut().map_or(Ok(()), |more| more.pay(cost, spared >> 1))
    }

    /// Gives back the tokens of an attempt that will not be made, and its place at the breaker.
    pub(crate) fn call_off(&mut self) {
        self.permit = None;
        self.admission = None;
        if let Some(more) = &mut self.more {
            more.call_off();
        }
    }

    /// Reports a panic of the attempt to the breakers.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        if let (Some(breaker), Some(admission)) = (&self.guards.breaker, self.admission.take()) {
            breaker.failed(admission);
        }
        if let Some(more) = &mut self.more {
            more.panicked();
        }
    }

    /// Returns which of two nested calls retries.
    pub(crate) fn nested(&self) -> Nested {
        self.guards.nested
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        self.guards.cancel.as_ref().is_some_and(Token::is_cancelled)
            || self.more.as_ref().is_some_and(|more| more.is_further_cancelled())
    }

    #[cold]
    fn is_further_cancelled(&self) -> bool {
        self.is_cancelled()
    }

    pub(super) fn watch(&self) -> Watches {
        let first = self.guards.cancel.as_ref().map(Token::watch);
        Watches::new(first, self.more.as_ref().map(|more| more.watch()))
    }
}
