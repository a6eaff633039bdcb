//! The steps of a circuit breaker, with the time as their input, so that the models choose it.

use std::time::Duration;

use super::{
    admission::Admission,
    breaker::CircuitBreaker,
    circuit_state::{CircuitState, Transition},
    phase::{Phase, Probes, State, slice, slices_between},
    sync::Ordering,
    tell,
    window::{Counts, Outcome, nanos},
};
use crate::failure::rejected::Rejected;

/// A transition from one state to another.
type Step = (State, State);

impl CircuitBreaker {
    // The resolution of a probe's time: slices of `open_for`.
    const SLICES: u32 = 16;

    #[cold]
    pub(super) fn admit_at(&self, now: Duration) -> Result<Admission, Rejected> {
        let mut state = self.load();
        loop {
            let next = match state.phase {
                Phase::Closed => {
                    return Ok(Admission { generation: state.generation, probe: None });
                }
                Phase::ForcedOpen => return Err(self.reject(Duration::MAX)),
                Phase::Open { until } => {
                    let retry_in = Duration::from_millis(until).saturating_sub(now);
                    if !retry_in.is_zero() {
                        return Err(self.reject(retry_in));
                    }
                    state.then(Phase::HalfOpen(Probes::first(self.slice(now))))
                }
                Phase::HalfOpen(probes) if probes.taken() < self.0.settings.probes => {
                    let (last, running) = (self.slice(now), probes.running + 1);
                    state.still(Phase::HalfOpen(Probes { last, running, ..probes }))
                }
                Phase::HalfOpen(probes) => {
                    let last = self.slice(now);
                    if slices_between(probes.last, last) <= Self::SLICES {
                        return Err(self.reject(Duration::ZERO));
                    }
                    state.then(Phase::HalfOpen(Probes::first(last)))
                }
            };
            match self.replace(state, next) {
                Ok(step) => {
                    self.notice(step, now);
                    let probe = Some(self.clone());
                    return Ok(Admission { generation: next.generation, probe });
                }
                Err(changed) => state = changed,
            }
        }
    }

    #[inline]
    pub(super) fn succeeded_at(&self, admission: Admission, now: Duration) {
        if admission.is_probe() {
            return Self::probe_succeeded(admission, now);
        }
        if self.load() == admission.regular() {
            self.0.window.record(Outcome::Success, now, admission.generation);
        }
    }

    pub(super) fn failed_at(&self, mut admission: Admission, now: Duration) {
        let opened = Phase::open_until(now.saturating_add(self.0.settings.open_for));
        let step = match admission.probe.take() {
            Some(_) => self.settle(admission.generation, |state, _| state.then(opened)),
            None => self.regular_failed(admission.regular(), opened, now),
        };
        if let Some(step) = step {
            self.notice(step, now);
        }
    }

    fn regular_failed(&self, closed: State, opened: Phase, now: Duration) -> Option<Step> {
        if self.load() != closed {
            return None;
        }
        self.0.window.record(Outcome::Failure, now, closed.generation);
        let counts = self.0.window.counts(now, closed.generation);
        // Division rounds to the nearest number, as the literal of the setting does, so 7 of 100 is exactly 0.07.
        let is_too_many = counts.calls() >= self.0.settings.minimum_calls
            && f64::from(counts.failures) / f64::from(counts.calls())
                >= self.0.settings.failure_ratio;
        // An error means that another failure has opened the breaker.
        if is_too_many { self.replace(closed, closed.then(opened)).ok() } else { None }
    }

    #[cold]
    fn probe_succeeded(mut admission: Admission, now: Duration) {
        let Some(breaker) = admission.probe.take() else { return };
        let step = breaker.settle(admission.generation, |state, probes| {
            let (running, succeeded) = (probes.running - 1, probes.succeeded + 1);
            if succeeded == breaker.0.settings.probes {
                return state.then(Phase::Closed);
            }
            state.still(Phase::HalfOpen(Probes { running, succeeded, ..probes }))
        });
        if let Some(step) = step {
            breaker.notice(step, now);
        }
    }

    /// Settles one running probe of a generation, unless that generation is over.
    pub(super) fn settle(
        &self,
        generation: u32,
        next: impl Fn(State, Probes) -> State,
    ) -> Option<Step> {
        let mut state = self.load();
        while let Phase::HalfOpen(probes) = state.phase {
            if state.generation != generation {
                return None;
            }
            match self.replace(state, next(state, probes)) {
                Ok(step) => return Some(step),
                Err(changed) => state = changed,
            }
        }
        None
    }

    /// Enters a phase, whatever the current state.
    pub(super) fn go(&self, phase: Phase, now: Duration) {
        let mut state = self.load();
        loop {
            match self.replace(state, state.then(phase)) {
                Ok(step) => return self.notice(step, now),
                Err(changed) => state = changed,
            }
        }
    }

    pub(super) fn state_at(&self, now: Duration) -> CircuitState {
        match self.load().phase {
            Phase::Open { until } if now >= Duration::from_millis(until) => CircuitState::HalfOpen,
            phase => phase.name(),
        }
    }

    fn reject(&self, retry_in: Duration) -> Rejected {
        self.0.rejected.fetch_add(1, Ordering::Relaxed);
        Rejected { breaker: self.name(), retry_in }
    }

    /// Reports a step that changes the state.
    #[cold]
    fn notice(&self, (from, to): Step, now: Duration) {
        let (before, after) = (from.phase.name(), to.phase.name());
        if before == after {
            return;
        }
        let counts = if before == CircuitState::Closed {
            // Only for the report: if another thread closes the breaker in between, it reports a shorter time.
            self.0.closed_until.store(nanos(now), Ordering::Relaxed);
            if after == CircuitState::Open {
                self.0.opened.fetch_add(1, Ordering::Relaxed);
            }
            self.0.window.counts(now, from.generation)
        } else {
            Counts::default()
        };
        let closed_until = Duration::from_nanos(self.0.closed_until.load(Ordering::Relaxed));
        tell::transition(&Transition {
            name: self.name(),
            from: before,
            to: after,
            calls: counts.calls(),
            failures: counts.failures,
            disturbed: now.saturating_sub(closed_until),
        });
        self.tell_state();
    }

    /// Publishes the state, after each transition.
    pub(super) fn tell_state(&self) {
        tell::state(self.name(), || self.load().phase.name());
    }

    fn slice(&self, now: Duration) -> u32 {
        slice(nanos(now), nanos(self.0.settings.open_for / Self::SLICES))
    }

    #[inline]
    pub(super) fn load(&self) -> State {
        State::unpack(self.0.state.load(Ordering::Relaxed))
    }

    fn replace(&self, from: State, to: State) -> Result<Step, State> {
        let exchange = self.0.state.compare_exchange(
            from.pack(),
            to.pack(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        exchange.map(|_| (from, to)).map_err(State::unpack)
    }
}
