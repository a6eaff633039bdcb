use std::{io, thread, time::Duration};

use retry_runtime::{
    CircuitBreaker, RetryPolicy,
    breaker::{Admission, CircuitBreakerBuilder, CircuitState},
    policy::ConfigError,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, advance, sleep},
};

const ZERO: Duration = Duration::ZERO;
/// When a breaker that opened at zero lets a probe through: the end of the open state is rounded up to a millisecond.
const PROBED: Duration = Duration::from_millis(5_001);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A paused clock, and a breaker on it.
struct Test {
    runtime: Runtime,
    start: Instant,
    breaker: CircuitBreaker,
}

impl Test {
    fn new(settings: CircuitBreakerBuilder) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let start = runtime.block_on(async { Instant::now() });
        Self { runtime, start, breaker: settings.build().expect("valid settings") }
    }

    /// Does something at a time since the start.
    fn at<T>(&self, time: Duration, run: impl FnOnce(&CircuitBreaker) -> T) -> T {
        self.runtime.block_on(async {
            advance((self.start + time).saturating_duration_since(Instant::now())).await;
            assert_eq!(self.start.elapsed(), time, "times go on");
            run(&self.breaker)
        })
    }

    fn admit(&self, time: Duration) -> Admission {
        self.at(time, |breaker| breaker.admit().expect("admitted"))
    }

    fn succeeds(&self, time: Duration, times: u32) {
        (0..times).for_each(|_| {
            let admission = self.admit(time);
            self.at(time, |breaker| breaker.succeeded(admission));
        });
    }

    fn fails(&self, time: Duration, times: u32) {
        (0..times).for_each(|_| {
            let admission = self.admit(time);
            self.at(time, |breaker| breaker.failed(admission));
        });
    }

    fn state(&self, time: Duration) -> CircuitState {
        self.at(time, CircuitBreaker::state)
    }

    /// Returns for how long calls are rejected, to the millisecond below.
    fn retry_in(&self, time: Duration) -> Duration {
        let rejected = self.at(time, |breaker| breaker.admit().expect_err("rejected"));
        Duration::from_millis(u64::try_from(rejected.retry_in.as_millis()).expect("a short time"))
    }
}

/// Opens at half of at least four calls in 10 s, for 5 s.
fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().minimum_calls(4)
}

fn test() -> Test {
    Test::new(settings())
}

#[test]
fn opens_when_half_of_the_calls_failed() {
    let breaker = test();
    breaker.succeeds(ZERO, 3);
    breaker.fails(seconds(1), 2);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Closed, "2 of 5");
    breaker.fails(seconds(1), 1);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Open, "3 of 6");
}

#[test]
fn too_few_calls_say_nothing() {
    let breaker = test();
    breaker.fails(ZERO, 3);
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
    breaker.fails(ZERO, 1);
    assert_eq!(breaker.state(ZERO), CircuitState::Open);
}

#[test]
fn a_ratio_is_met_exactly() {
    for hundredths in 1..=100 {
        let ratio = f64::from(hundredths) / 100.0;
        let settings = CircuitBreaker::builder().minimum_calls(100).failure_ratio(ratio);
        let breaker = Test::new(settings);
        breaker.succeeds(ZERO, 100 - hundredths);
        breaker.fails(ZERO, hundredths - 1);
        assert_eq!(breaker.state(ZERO), CircuitState::Closed, "{ratio}");
        breaker.fails(ZERO, 1);
        assert_eq!(breaker.state(ZERO), CircuitState::Open, "{ratio}");
    }
}

#[test]
fn forgets_what_left_the_window() {
    let breaker = test();
    breaker.fails(ZERO, 3);
    breaker.fails(seconds(10), 3);
    assert_eq!(breaker.state(seconds(10)), CircuitState::Closed);

    let breaker = test();
    breaker.fails(ZERO, 3);
    // The window reaches back between nine and ten tenths of its length.
    breaker.fails(millis(8_999), 1);
    assert_eq!(breaker.state(seconds(9)), CircuitState::Open);
}

#[test]
fn forgets_after_any_pause() {
    let laps = 1_u64 << 22;
    for pause in [11, 100, 2_570, 10 * (laps - 300), 10 * laps + 20] {
        let breaker = test();
        breaker.fails(ZERO, 3);
        breaker.fails(seconds(pause), 3);
        assert_eq!(breaker.state(seconds(pause)), CircuitState::Closed, "{pause}");
        breaker.fails(seconds(pause), 1);
        assert_eq!(breaker.state(seconds(pause)), CircuitState::Open, "{pause}");
    }
}

#[test]
fn rejects_until_it_was_open_long_enough() {
    let breaker = test();
    breaker.fails(seconds(1), 4);
    assert_eq!(breaker.retry_in(seconds(1)), seconds(5));
    assert_eq!(breaker.retry_in(millis(5_999)), millis(1));
    assert_eq!(breaker.state(millis(5_999)), CircuitState::Open);
    assert_eq!(breaker.state(seconds(1) + PROBED), CircuitState::HalfOpen);
    assert!(breaker.admit(seconds(1) + PROBED).is_probe());
}

#[test]
fn a_rejection_says_for_how_long_and_by_which_breaker() {
    let breaker = Test::new(settings().name("catalog").probes(1));
    let text =
        |time| breaker.at(time, |breaker| breaker.admit().expect_err("rejected").to_string());
    breaker.fails(ZERO, 4);
    assert_eq!(text(ZERO), "the circuit breaker `catalog` is open for another 5 s");
    assert_eq!(text(millis(10)), "the circuit breaker `catalog` is open for another 5 s");
    assert_eq!(text(millis(600)), "the circuit breaker `catalog` is open for another 4 s");
    assert_eq!(text(millis(4_900)), "the circuit breaker `catalog` is open for less than a second");
    let _probe = breaker.admit(PROBED);
    assert_eq!(text(PROBED), "the circuit breaker `catalog` waits for its probes");
    breaker.at(PROBED, CircuitBreaker::force_open);
    assert_eq!(text(PROBED), "the circuit breaker `catalog` is held open");
    let unnamed = test();
    unnamed.fails(ZERO, 4);
    let rejected = unnamed.at(ZERO, |breaker| breaker.admit().expect_err("rejected"));
    assert_eq!(rejected.to_string(), "the circuit breaker is open for another 5 s");
    assert_eq!(rejected.breaker, "unnamed");
}

#[test]
fn a_probe_that_succeeds_closes_it_with_an_empty_window() {
    let breaker = test();
    breaker.fails(ZERO, 4);
    breaker.succeeds(PROBED, 1);
    assert_eq!(breaker.state(PROBED), CircuitState::Closed);
    breaker.fails(PROBED, 3);
    assert_eq!(breaker.state(PROBED), CircuitState::Closed, "the failures before do not count");
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let breaker = test();
    breaker.fails(ZERO, 4);
    let probe = breaker.admit(PROBED);
    breaker.at(seconds(7), |breaker| breaker.failed(probe));
    assert_eq!(breaker.retry_in(seconds(7)), seconds(5));
}

#[test]
fn lets_no_more_probes_through_than_allowed() {
    let breaker = Test::new(settings().probes(2));
    breaker.fails(ZERO, 4);
    let [first, second] = [(); 2].map(|()| breaker.admit(PROBED));
    assert_eq!(breaker.retry_in(PROBED), ZERO);
    breaker.at(seconds(6), |breaker| breaker.succeeded(first));
    assert_eq!(breaker.state(seconds(6)), CircuitState::HalfOpen);
    assert_eq!(breaker.retry_in(seconds(6)), ZERO, "a place that was used is not free");
    breaker.at(seconds(6), |breaker| breaker.succeeded(second));
    assert_eq!(breaker.state(seconds(6)), CircuitState::Closed);
}

#[test]
fn a_probe_that_is_dropped_gives_its_place_back() {
    let breaker = test();
    breaker.fails(ZERO, 4);
    for _ in 0..300 {
        drop(breaker.admit(PROBED));
    }
    assert_eq!(breaker.state(PROBED), CircuitState::HalfOpen);
    breaker.succeeds(PROBED, 1);
    assert_eq!(breaker.state(PROBED), CircuitState::Closed);
}

#[test]
fn a_probe_that_hangs_does_not_keep_the_breaker_shut() {
    let breaker = test();
    breaker.fails(ZERO, 4);
    let hung = breaker.admit(PROBED);
    assert_eq!(breaker.retry_in(millis(10_001)), ZERO);
    let next = breaker.admit(seconds(11));
    breaker.at(seconds(11), |breaker| breaker.failed(hung));
    assert_eq!(breaker.state(seconds(11)), CircuitState::HalfOpen, "it is too late to matter");
    breaker.at(seconds(11), |breaker| breaker.succeeded(next));
    assert_eq!(breaker.state(seconds(11)), CircuitState::Closed);
}

#[test]
fn outcomes_count_only_in_the_phase_that_admitted_the_call() {
    let breaker = test();
    let early = [(); 8].map(|()| breaker.admit(ZERO));
    breaker.fails(ZERO, 4);
    let probe = breaker.admit(PROBED);
    for (turn, admission) in early.into_iter().enumerate() {
        breaker.at(PROBED, |breaker| match turn % 2 {
            0 => breaker.failed(admission),
            _ => breaker.succeeded(admission),
        });
    }
    assert_eq!(breaker.state(PROBED), CircuitState::HalfOpen);
    breaker.at(PROBED, |breaker| breaker.succeeded(probe));
    assert_eq!(breaker.state(PROBED), CircuitState::Closed);
}

#[test]
fn a_call_that_is_dropped_is_no_verdict() {
    let breaker = test();
    for _ in 0..100 {
        drop(breaker.admit(ZERO));
    }
    breaker.fails(ZERO, 3);
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
}

#[test]
fn survives_the_longest_time() {
    let breaker = Test::new(settings().open_for(Duration::MAX));
    breaker.fails(ZERO, 4);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Open);
    // 40 bits of milliseconds.
    assert!(breaker.admit(seconds(35 * 365 * 24 * 60 * 60)).is_probe());
}

#[test]
fn keeps_the_ratio_of_more_calls_than_it_can_count() {
    let settings = settings().failure_ratio(0.1).minimum_calls(1_000_000);
    let breaker = Test::new(settings);
    breaker.at(ZERO, |breaker| {
        for _ in 0..250_000 {
            (0..11).for_each(|_| breaker.succeeded(breaker.admit().expect("admitted")));
            breaker.failed(breaker.admit().expect("admitted"));
        }
    });
    assert_eq!(breaker.state(ZERO), CircuitState::Closed, "1 of 12");
}

#[test]
fn is_exact_on_many_threads() {
    let settings = settings().failure_ratio(1.0).minimum_calls(40_001);
    let breaker = Test::new(settings);
    let shared = &breaker.breaker;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    shared.failed(shared.admit().expect("admitted"));
                }
            });
        }
    });
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
    breaker.fails(ZERO, 1);
    assert_eq!(breaker.state(ZERO), CircuitState::Open);
}

#[test]
fn refuses_impossible_settings_with_the_value() {
    for ratio in [0.0, -1.0, 1.01, f64::NAN] {
        let error = CircuitBreaker::builder().failure_ratio(ratio).build().expect_err("refused");
        assert!(matches!(error, ConfigError::Ratio(found) if found.to_bits() == ratio.to_bits()));
    }
    let refused = |builder: CircuitBreakerBuilder| builder.build().expect_err("refused");
    assert_eq!(
        refused(settings().probes(0)),
        ConfigError::OutOfRange { setting: "probes", found: 0, most: 255 }
    );
    assert_eq!(
        refused(settings().minimum_calls(1_000_001)),
        ConfigError::OutOfRange { setting: "minimum_calls", found: 1_000_001, most: 1_000_000 }
    );
    assert_eq!(
        refused(settings().window(ZERO)),
        ConfigError::TooShort { setting: "window", found: ZERO, least: millis(10) }
    );
    assert_eq!(
        refused(settings().open_for(ZERO)).to_string(),
        "`open_for` must be at least 1ms, found 0ns"
    );
}

#[test]
fn is_shared_between_tasks() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    fn sent<T: Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let breaker = CircuitBreaker::new();
    shared(&breaker);
    sent(&breaker.admit());
}

/// A policy and code of one's own share a breaker, and ask at times of their own.
#[tokio::test(start_paused = true)]
async fn policies_and_code_of_ones_own_ask_on_one_clock() {
    let breaker = CircuitBreaker::builder().minimum_calls(4).build().expect("valid settings");
    let policy = RetryPolicy::constant(ZERO).retries(0).breaker(&breaker);
    for _ in 0..4 {
        let refused = async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused));
        policy.clone().retry(refused).await.expect_err("refused");
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(breaker.admit().expect_err("rejected").retry_in <= PROBED);
    sleep(PROBED).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    breaker.succeeded(breaker.admit().expect("a probe"));
    assert_eq!(policy.retry(async || Ok::<_, io::Error>(7)).await.expect("passes"), 7);
}

#[test]
fn works_without_a_runtime() {
    let breaker = CircuitBreaker::new();
    breaker.failed(breaker.admit().expect("admitted"));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn is_forced_open_until_it_is_reset() {
    let breaker = test();
    breaker.at(ZERO, CircuitBreaker::force_open);
    let year = seconds(365 * 24 * 60 * 60);
    assert_eq!(breaker.state(year), CircuitState::ForcedOpen);
    breaker.at(year, |breaker| assert!(breaker.admit().is_err()));
    breaker.at(year, CircuitBreaker::reset);
    assert_eq!(breaker.state(year), CircuitState::Closed);
    breaker.fails(year, 4);
    assert_eq!(breaker.state(year), CircuitState::Open, "it works as before");
}

#[test]
fn a_reset_forgets_what_was_counted_and_who_was_admitted() {
    let breaker = test();
    let early = [(); 4].map(|()| breaker.admit(ZERO));
    breaker.fails(ZERO, 3);
    breaker.at(ZERO, CircuitBreaker::reset);
    early.into_iter().for_each(|admission| breaker.at(ZERO, |breaker| breaker.failed(admission)));
    breaker.fails(ZERO, 3);
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
    breaker.fails(ZERO, 1);
    let probe = breaker.admit(PROBED);
    breaker.at(PROBED, CircuitBreaker::reset);
    breaker.at(PROBED, |breaker| breaker.failed(probe));
    assert_eq!(breaker.state(PROBED), CircuitState::Closed, "the probe was of another time");
}

#[test]
fn counts_what_happened() {
    let breaker = test();
    let statistics = |time| {
        let found = breaker.at(time, CircuitBreaker::statistics);
        (found.state, found.calls, found.failures, found.opened, found.rejected)
    };
    breaker.succeeds(ZERO, 4);
    breaker.fails(ZERO, 3);
    assert_eq!(statistics(ZERO), (CircuitState::Closed, 7, 3, 0, 0));
    breaker.fails(ZERO, 1);
    breaker.retry_in(ZERO);
    breaker.retry_in(ZERO);
    assert_eq!(statistics(ZERO), (CircuitState::Open, 0, 0, 1, 2));
    breaker.fails(PROBED, 1);
    assert_eq!(statistics(PROBED), (CircuitState::Open, 0, 0, 1, 2), "the same outage");
    breaker.succeeds(PROBED + PROBED, 1);
    assert_eq!(statistics(PROBED + PROBED), (CircuitState::Closed, 0, 0, 1, 2));
    breaker.fails(PROBED + PROBED, 4);
    assert_eq!(statistics(PROBED + PROBED).3, 2);
}
