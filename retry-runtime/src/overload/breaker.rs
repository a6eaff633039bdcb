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

/// Stops calls to a server that fails, and finds out with few of them when it is back.
///
/// Unlike a [`Budget`](crate::overload::Budget), which stops retries, it stops first attempts as well: use it where a call that
/// cannot succeed is worse than no call, because it blocks something or because there is a fallback.
/// Share one breaker between all calls to one node by cloning it; clones are the same breaker.
///
/// | state | calls | ends |
/// | --- | --- | --- |
/// | closed | pass | when a failure makes at least half of the last 10 s' calls failed ones, of at least 20 |
/// | open | are rejected | after 5 s, with the next call |
/// | half open | one passes as a probe | closed when it succeeds, open again when it fails |
/// | forced open | are rejected | with [`reset`](Self::reset) |
///
/// The numbers are the defaults, those of Netflix' Hystrix; [`CircuitBreaker::builder`] changes them and gives the
/// breaker a name, under which telemetry shows it.
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
/// Dropping an [`Admission`] is no verdict; a probe gives its place back.
/// A probe that neither ends nor is dropped keeps its place for `open_for`, then another is let through.
/// An outcome counts only in the phase that admitted its call: a call from before the breaker opened says nothing about
/// the server that recovers.
/// No operation takes a lock.
#[derive(Clone)]
pub struct CircuitBreaker(pub(super) Arc<Shared>);

pub(super) struct Shared {
    // Every transition is one step on this word, and guards no other memory: buckets say which period they are of.
    pub(super) state: AtomicU64,
    pub(super) window: Window,
    pub(super) settings: CircuitBreakerBuilder,
    /// When it was closed last, in nanoseconds.
    pub(super) closed_until: AtomicU64,
    pub(super) opened: AtomicU64,
    pub(super) rejected: AtomicU64,
}

impl CircuitBreaker {
    /// Makes a closed breaker with the defaults.
    pub fn new() -> Self {
        Self::with(CircuitBreakerBuilder::DEFAULT)
    }

    /// Starts from the defaults, to change some.
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

    /// Returns the name that telemetry shows the breaker under.
    pub fn name(&self) -> &'static str {
        self.0.settings.name
    }

    /// Asks to make a call.
    ///
    /// # Errors
    ///
    /// Returns [`Rejected`] while the breaker is open, and while as many probes are under way as are allowed.
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

    /// Counts a failure, and opens the breaker if it is one too many or that of a probe.
    ///
    /// Report what speaks against the server: not that the caller asked for something impossible.
    pub fn failed(&self, admission: Admission) {
        self.failed_at(admission, clock::now());
    }

    /// Returns the state.
    ///
    /// A breaker that was open long enough is half open, whether a call has come to probe the server or not.
    pub fn state(&self) -> CircuitState {
        self.state_at(clock::now())
    }

    /// Closes the breaker with nothing counted, whatever its state; also after [`force_open`](Self::force_open).
    ///
    /// The outcomes of calls under way do not count.
    pub fn reset(&self) {
        self.go(Phase::Closed, clock::now());
    }

    /// Opens the breaker until [`reset`](Self::reset): no call passes, and none probes.
    pub fn force_open(&self) {
        self.go(Phase::ForcedOpen, clock::now());
    }

    /// Returns the state, the outcomes in the window, and what happened so far, for telemetry.
    ///
    /// The numbers are read one after the other, so calls that run meanwhile may be in one and not yet in another.
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

    /// Tells whether a failure counts against the server.
    pub(crate) fn counts(&self, failure: &FailureReport) -> bool {
        (self.0.settings.counts.0)(failure)
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the name, if it has one, and the phase that the last event led to.
impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = formatter.debug_tuple("CircuitBreaker");
        if self.name() != Rejected::UNNAMED {
            tuple.field(&self.name());
        }
        tuple.field(&self.load().phase).finish()
    }
}
