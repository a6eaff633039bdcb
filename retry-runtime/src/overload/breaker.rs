use std::fmt;

use super::{
    admission::Admission,
    breaker_builder::CircuitBreakerBuilder,
    circuit_state::{CircuitState, CircuitStatistics},
    clock,
    phase::{Phase, State},
    sync::{Arc, AtomicU64, Ordering},
    window::Window,
};
use crate::failure::{info::FailureReport, rejected::Rejected};

/// Stops calls to a failing server, and probes with a few of them whether it is back.
///
/// A [`Budget`](crate::overload::Budget) stops retries; a breaker stops first attempts as well.
/// Use it where a call that cannot succeed is worse than no call, because it blocks something or because there is a
/// fallback.
/// Share one breaker among all calls to a node by cloning it; clones share the state.
///
/// | state | calls | ends |
/// | --- | --- | --- |
/// | closed | pass | when at least half of the calls of the last 10 s failed, and there were at least 20 |
/// | open | are rejected | after 5 s, with the next call |
/// | half open | one passes as a probe | closed when it succeeds, open again when it fails |
/// | forced open | are rejected | with [`reset`](Self::reset) |
///
/// The numbers are the defaults, which are those of Netflix' Hystrix.
/// [`CircuitBreaker::builder`] changes them:
///
/// | setting | default |
/// | --- | --- |
/// | [`name`](CircuitBreakerBuilder::name) | `unnamed` |
/// | [`failure_ratio`](CircuitBreakerBuilder::failure_ratio) | 0.5 |
/// | [`minimum_calls`](CircuitBreakerBuilder::minimum_calls) | 20 |
/// | [`window`](CircuitBreakerBuilder::window) | 10 s |
/// | [`open_for`](CircuitBreakerBuilder::open_for) | 5 s |
/// | [`probes`](CircuitBreakerBuilder::probes) | 1 |
/// | [`counts`](CircuitBreakerBuilder::counts) | all failures but those that are [`Permanent`](crate::Disposition::Permanent) |
///
/// Attach it to a policy or to the attribute, see [`Guarded`](crate::policy::Guarded), and ask it from anywhere else, such as a
/// health page:
///
/// ```
/// use retry_runtime::{CircuitBreaker, breaker::CircuitState};
///
/// let breaker = CircuitBreaker::builder().name("catalog").build()?;
///
/// let admission = breaker.admit()?;
/// // … the call …
/// breaker.succeeded(admission);
/// assert_eq!(breaker.state(), CircuitState::Closed);
///
/// breaker.force_open(); // maintenance
/// let rejected = breaker.admit().unwrap_err();
/// assert_eq!(rejected.to_string(), "the circuit breaker `catalog` is held open");
/// breaker.reset();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// All breakers count time on tokio's clock, inside a runtime or outside, so that a test that pauses the clock moves
/// them too.
///
/// Dropping an [`Admission`] reports nothing; a dropped probe makes room for another.
/// A probe that neither ends nor is dropped keeps its place for `open_for`; then the breaker admits another.
/// An outcome counts only in the phase that admitted its call: a call from before the breaker opened proves nothing about
/// a server that recovers.
/// No operation takes a lock.
#[derive(Clone)]
pub struct CircuitBreaker(pub(super) Arc<Shared>);

pub(super) struct Shared {
    // Every transition is one step on this word, which guards no other memory: each bucket knows its period.
    pub(super) state: AtomicU64,
    pub(super) window: Window,
    pub(super) settings: CircuitBreakerBuilder,
    /// When it was closed last, in nanoseconds.
    pub(super) closed_until: AtomicU64,
    pub(super) opened: AtomicU64,
    pub(super) rejected: AtomicU64,
}

impl CircuitBreaker {
    /// Creates a closed breaker with the defaults.
    pub fn new() -> Self {
        Self::with(CircuitBreakerBuilder::DEFAULT)
    }

    /// Returns a builder with the defaults.
    pub const fn builder() -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::DEFAULT
    }

    pub(super) fn with(settings: CircuitBreakerBuilder) -> Self {
        let breaker = Self(Arc::new(Shared {
            state: AtomicU64::new(State::START.pack()),
            window: Window::new(settings.window),
            settings,
            closed_until: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }));
        breaker.tell_state();
        breaker
    }

    /// Returns the breaker's name in telemetry.
    pub fn name(&self) -> &'static str {
        self.0.settings.name
    }

    /// Asks to make a call.
    ///
    /// # Errors
    ///
    /// Returns [`Rejected`] while the breaker is open, and while all allowed probes are running.
    #[inline]
    pub fn admit(&self) -> Result<Admission, Rejected> {
        let state = self.load();
        if state.phase == Phase::Closed {
            return Ok(Admission { generation: state.generation, probe: None });
        }
        self.admit_at(clock::now())
    }

    /// Counts a success; closes the breaker after the last probe.
    pub fn succeeded(&self, admission: Admission) {
        self.succeeded_at(admission, clock::now());
    }

    /// Counts a failure; opens the breaker if it reaches the failure ratio, or if the call was a probe.
    ///
    /// Report only failures of the server, not requests that no server could fulfil.
    pub fn failed(&self, admission: Admission) {
        self.failed_at(admission, clock::now());
    }

    /// Returns the state.
    ///
    /// After `open_for` the breaker is half open, even before the first call probes the server.
    pub fn state(&self) -> CircuitState {
        self.state_at(clock::now())
    }

    /// Closes the breaker and empties its window, whatever its state; also after [`force_open`](Self::force_open).
    ///
    /// The outcomes of running calls do not count.
    pub fn reset(&self) {
        self.go(Phase::Closed, clock::now());
    }

    /// Opens the breaker until [`reset`](Self::reset): no call passes, not even a probe.
    pub fn force_open(&self) {
        self.go(Phase::ForcedOpen, clock::now());
    }

    /// Returns the state, the outcomes in the window, and the counts so far, for telemetry.
    ///
    /// The numbers are read one after the other, so a concurrent call can be in one and not yet in another.
    pub fn statistics(&self) -> CircuitStatistics {
        let now = clock::now();
        let counts = self.0.window.counts(now, self.load().generation);
        CircuitStatistics {
            state: self.state_at(now),
            calls: counts.calls(),
            failures: counts.failures,
            opened: self.0.opened.load(Ordering::Relaxed),
            rejected: self.0.rejected.load(Ordering::Relaxed),
        }
    }

    /// Returns whether a failure counts against the server.
    pub(crate) fn counts(&self, failure: &FailureReport) -> bool {
        (self.0.settings.counts.0)(failure)
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the name, if there is one, and the phase after the last event.
impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = formatter.debug_tuple("CircuitBreaker");
        if self.name() != Rejected::UNNAMED {
            tuple.field(&self.name());
        }
        tuple.field(&self.load().phase).finish()
    }
}
