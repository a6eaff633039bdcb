use std::{fmt, time::Duration};

use super::{
    admission::{Admission, Rejected},
    breaker_builder::CircuitBreakerBuilder,
    phase::{Phase, Probes, State, slice, slices_between},
    sync::{Arc, AtomicU64, Ordering},
    window::{Counts, Outcome, Window, nanos},
};
use crate::FailureReport;

/// Stops calls to a server that fails, and finds out with few of them when it is back.
///
/// Unlike a [`Budget`](crate::Budget), which stops retries, it stops first attempts as well: use it where a call that
/// cannot succeed is worse than no call, because it blocks something or because there is a fallback.
/// Share one breaker between all calls to one node by cloning it; clones are the same breaker.
///
/// | state | calls | ends |
/// | --- | --- | --- |
/// | closed | pass | when a failure makes at least half of the last 10 s' calls failed ones, of at least 20 |
/// | open | are rejected | after 5 s, with the next call |
/// | half open | one passes as a probe | closed when it succeeds, open again when it fails |
///
/// The numbers are the defaults, those of Netflix' Hystrix; [`CircuitBreaker::builder`] changes them.
///
/// Time comes in from outside, as the duration since an origin that all users of the breaker share:
///
/// ```
/// use retry_runtime::{CircuitBreaker, CircuitState};
/// use tokio::time::Instant;
///
/// let breaker = CircuitBreaker::new();
/// let origin = Instant::now(); // tokio's clock, so that tests can pause it
///
/// let admission = breaker.admit(origin.elapsed())?;
/// // … the call …
/// breaker.succeeded(admission, origin.elapsed());
/// assert_eq!(breaker.state(origin.elapsed()), CircuitState::Closed);
/// # Ok::<(), retry_runtime::Rejected>(())
/// ```
///
/// Dropping an [`Admission`] is no verdict; a probe gives its place back.
/// A probe that neither ends nor is dropped keeps its place for `open_for`, then another is let through.
/// An outcome counts only in the phase that admitted its call: a call from before the breaker opened says nothing about
/// the server that recovers.
/// No operation takes a lock.
#[derive(Clone)]
pub struct CircuitBreaker(Arc<Shared>);

struct Shared {
    // Every transition is one step on this word, and guards no other memory: buckets say which period they are of.
    state: AtomicU64,
    window: Window,
    settings: CircuitBreakerBuilder,
}

impl CircuitBreaker {
    // How exactly the time of a probe is kept.
    const SLICES: u32 = 16;

    /// Makes a closed breaker with the defaults.
    pub fn new() -> Self {
        Self::with(CircuitBreakerBuilder::DEFAULT)
    }

    /// Starts from the defaults, to change some.
    pub const fn builder() -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::DEFAULT
    }

    pub(super) fn with(settings: CircuitBreakerBuilder) -> Self {
        Self(Arc::new(Shared {
            state: AtomicU64::new(State::START.pack()),
            window: Window::new(settings.window),
            settings,
        }))
    }

    /// Asks to make a call at the time `now`.
    ///
    /// # Errors
    ///
    /// Returns [`Rejected`] while the breaker is open, and while as many probes are under way as are allowed.
    pub fn admit(&self, now: Duration) -> Result<Admission, Rejected> {
        let state = self.load();
        if state.phase == Phase::Closed {
            return Ok(Admission { generation: state.generation, probe: None });
        }
        self.admit_probe(state, now)
    }

    /// Counts a success at the time `now`; closes the breaker after the last probe.
    pub fn succeeded(&self, admission: Admission, now: Duration) {
        if admission.is_probe() {
            return Self::probe_succeeded(admission);
        }
        if self.load() == admission.regular() {
            self.0.window.record(Outcome::Success, now, admission.generation);
        }
    }

    /// Counts a failure at the time `now`, and opens the breaker if it is one too many or that of a probe.
    ///
    /// Report what speaks against the server: not that the caller asked for something impossible.
    pub fn failed(&self, mut admission: Admission, now: Duration) {
        let opened = Phase::open_until(now.saturating_add(self.0.settings.open_for));
        match admission.probe.take() {
            None => {
                let closed = admission.regular();
                if self.load() == closed {
                    self.0.window.record(Outcome::Failure, now, closed.generation);
                    if self.is_too_many(self.0.window.counts(now, closed.generation)) {
                        // An error says that another failure has opened it.
                        let _ = self.replace(closed, closed.then(opened));
                    }
                }
            }
            Some(breaker) => breaker.settle(admission.generation, |state, _| state.then(opened)),
        }
    }

    /// Returns the state at the time `now`.
    pub fn state(&self, now: Duration) -> CircuitState {
        match self.load().phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { until } if now < Duration::from_millis(until) => CircuitState::Open,
            Phase::Open { .. } | Phase::HalfOpen(_) => CircuitState::HalfOpen,
        }
    }

    #[cold]
    fn admit_probe(&self, mut state: State, now: Duration) -> Result<Admission, Rejected> {
        loop {
            let next = match state.phase {
                Phase::Closed => {
                    return Ok(Admission { generation: state.generation, probe: None });
                }
                Phase::Open { until } => {
                    let retry_in = Duration::from_millis(until).saturating_sub(now);
                    if !retry_in.is_zero() {
                        return Err(Rejected { retry_in });
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
                        return Err(Rejected { retry_in: Duration::ZERO });
                    }
                    state.then(Phase::HalfOpen(Probes::first(last)))
                }
            };
            match self.replace(state, next) {
                Ok(()) => {
                    let probe = Some(self.clone());
                    return Ok(Admission { generation: next.generation, probe });
                }
                Err(changed) => state = changed,
            }
        }
    }

    #[cold]
    fn probe_succeeded(mut admission: Admission) {
        let Some(breaker) = admission.probe.take() else { return };
        breaker.settle(admission.generation, |state, probes| {
            let (running, succeeded) = (probes.running - 1, probes.succeeded + 1);
            if succeeded == breaker.0.settings.probes {
                return state.then(Phase::Closed);
            }
            state.still(Phase::HalfOpen(Probes { running, succeeded, ..probes }))
        });
    }

    /// Takes one running probe of a generation to its next state, unless that generation is over.
    pub(super) fn settle(&self, generation: u32, next: impl Fn(State, Probes) -> State) {
        let mut state = self.load();
        while let Phase::HalfOpen(probes) = state.phase {
            if state.generation != generation {
                return;
            }
            match self.replace(state, next(state, probes)) {
                Ok(()) => return,
                Err(changed) => state = changed,
            }
        }
    }

    /// Tells whether a failure counts against the server.
    pub(crate) fn counts(&self, failure: &FailureReport) -> bool {
        (self.0.settings.counts.0)(failure)
    }

    fn is_too_many(&self, Counts { failures, successes }: Counts) -> bool {
        let calls = failures + successes;
        // Division rounds to the nearest number, as the literal of the setting did, so that 7 of 100 is exactly 0.07.
        calls >= self.0.settings.minimum_calls
            && f64::from(failures) / f64::from(calls) >= self.0.settings.failure_ratio
    }

    fn slice(&self, now: Duration) -> u32 {
        slice(nanos(now), nanos(self.0.settings.open_for / Self::SLICES))
    }

    fn load(&self) -> State {
        State::unpack(self.0.state.load(Ordering::Relaxed))
    }

    fn replace(&self, from: State, to: State) -> Result<(), State> {
        let exchange = self.0.state.compare_exchange(
            from.pack(),
            to.pack(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        exchange.map(|_| ()).map_err(State::unpack)
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the phase that the last event led to.
impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CircuitBreaker").field(&self.load().phase).finish()
    }
}

/// The state of a [`CircuitBreaker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// Probes pass, other calls are rejected.
    HalfOpen,
}
