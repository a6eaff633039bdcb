use std::{thread, time::Duration};

use retry_runtime::{Admission, CircuitBreaker, CircuitBreakerBuilder, CircuitState, ConfigError};

const ZERO: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Opens at half of at least four calls in 10 s, for 5 s.
fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().minimum_calls(4)
}

fn breaker() -> CircuitBreaker {
    settings().build().expect("valid settings")
}

fn admit(breaker: &CircuitBreaker, now: Duration) -> Admission {
    breaker.admit(now).expect("admitted")
}

fn succeed(breaker: &CircuitBreaker, now: Duration, times: u32) {
    (0..times).for_each(|_| breaker.succeeded(admit(breaker, now), now));
}

fn fail(breaker: &CircuitBreaker, now: Duration, times: u32) {
    (0..times).for_each(|_| breaker.failed(admit(breaker, now), now));
}

fn retry_in(breaker: &CircuitBreaker, now: Duration) -> Duration {
    breaker.admit(now).expect_err("rejected").retry_in
}

#[test]
fn opens_when_half_of_the_calls_failed() {
    let breaker = breaker();
    succeed(&breaker, ZERO, 3);
    fail(&breaker, seconds(1), 2);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Closed, "2 of 5");
    fail(&breaker, seconds(1), 1);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Open, "3 of 6");
}

#[test]
fn too_few_calls_say_nothing() {
    let breaker = breaker();
    fail(&breaker, ZERO, 3);
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
    fail(&breaker, ZERO, 1);
    assert_eq!(breaker.state(ZERO), CircuitState::Open);
}

#[test]
fn a_ratio_is_met_exactly() {
    for hundredths in 1..=100 {
        let ratio = f64::from(hundredths) / 100.0;
        let settings = CircuitBreaker::builder().minimum_calls(100).failure_ratio(ratio);
        let breaker = settings.build().expect("valid settings");
        succeed(&breaker, ZERO, 100 - hundredths);
        fail(&breaker, ZERO, hundredths - 1);
        assert_eq!(breaker.state(ZERO), CircuitState::Closed, "{ratio}");
        fail(&breaker, ZERO, 1);
        assert_eq!(breaker.state(ZERO), CircuitState::Open, "{ratio}");
    }
}

#[test]
fn forgets_what_left_the_window() {
    let breaker = breaker();
    fail(&breaker, ZERO, 3);
    fail(&breaker, seconds(10), 3);
    assert_eq!(breaker.state(seconds(10)), CircuitState::Closed);

    let breaker = self::breaker();
    fail(&breaker, ZERO, 3);
    fail(&breaker, millis(9_999), 1);
    assert_eq!(breaker.state(seconds(10)), CircuitState::Open);
}

#[test]
fn counts_what_happened_after_the_clock_was_read() {
    let breaker = breaker();
    fail(&breaker, seconds(10), 3);
    fail(&breaker, millis(9_999), 1);
    assert_eq!(breaker.state(seconds(10)), CircuitState::Open);
}

#[test]
fn forgets_after_any_pause() {
    let laps = 1_u64 << 22;
    for pause in [11, 100, 2_570, 10 * (laps - 300), 10 * laps + 20] {
        let breaker = breaker();
        fail(&breaker, ZERO, 3);
        fail(&breaker, seconds(pause), 3);
        assert_eq!(breaker.state(seconds(pause)), CircuitState::Closed, "{pause}");
        fail(&breaker, seconds(pause), 1);
        assert_eq!(breaker.state(seconds(pause)), CircuitState::Open, "{pause}");
    }
}

#[test]
fn rejects_until_it_was_open_long_enough() {
    let breaker = breaker();
    fail(&breaker, seconds(1), 4);
    assert_eq!(retry_in(&breaker, seconds(1)), seconds(5));
    assert_eq!(retry_in(&breaker, millis(5_999)), millis(1));
    let error = breaker.admit(seconds(2)).expect_err("rejected");
    assert_eq!(error.to_string(), "the circuit breaker is open for another 4s");
    assert_eq!(breaker.state(seconds(6)), CircuitState::HalfOpen);
    assert!(admit(&breaker, seconds(6)).is_probe());
}

#[test]
fn a_probe_that_succeeds_closes_it_with_an_empty_window() {
    let breaker = breaker();
    fail(&breaker, ZERO, 4);
    succeed(&breaker, seconds(5), 1);
    assert_eq!(breaker.state(seconds(5)), CircuitState::Closed);
    fail(&breaker, seconds(5), 3);
    assert_eq!(breaker.state(seconds(5)), CircuitState::Closed, "the failures before do not count");
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let breaker = breaker();
    fail(&breaker, ZERO, 4);
    let probe = admit(&breaker, seconds(5));
    breaker.failed(probe, seconds(7));
    assert_eq!(retry_in(&breaker, seconds(7)), seconds(5));
}

#[test]
fn lets_no_more_probes_through_than_allowed() {
    let breaker = settings().probes(2).build().expect("valid settings");
    fail(&breaker, ZERO, 4);
    let [first, second] = [(); 2].map(|()| admit(&breaker, seconds(5)));
    assert_eq!(retry_in(&breaker, seconds(5)), ZERO);
    breaker.succeeded(first, seconds(6));
    assert_eq!(breaker.state(seconds(6)), CircuitState::HalfOpen);
    assert_eq!(retry_in(&breaker, seconds(6)), ZERO, "a place that was used is not free");
    breaker.succeeded(second, seconds(6));
    assert_eq!(breaker.state(seconds(6)), CircuitState::Closed);
}

#[test]
fn a_probe_that_is_dropped_gives_its_place_back() {
    let breaker = breaker();
    fail(&breaker, ZERO, 4);
    for _ in 0..300 {
        drop(admit(&breaker, seconds(5)));
    }
    assert_eq!(breaker.state(seconds(5)), CircuitState::HalfOpen);
    succeed(&breaker, seconds(5), 1);
    assert_eq!(breaker.state(seconds(5)), CircuitState::Closed);
}

#[test]
fn a_probe_that_hangs_does_not_keep_the_breaker_shut() {
    let breaker = breaker();
    fail(&breaker, ZERO, 4);
    let hung = admit(&breaker, seconds(5));
    assert_eq!(retry_in(&breaker, seconds(10)), ZERO);
    let next = admit(&breaker, seconds(11));
    breaker.failed(hung, seconds(11));
    assert_eq!(breaker.state(seconds(11)), CircuitState::HalfOpen, "it is too late to matter");
    breaker.succeeded(next, seconds(11));
    assert_eq!(breaker.state(seconds(11)), CircuitState::Closed);
}

#[test]
fn outcomes_count_only_in_the_phase_that_admitted_the_call() {
    let breaker = breaker();
    let early = [(); 8].map(|()| admit(&breaker, ZERO));
    fail(&breaker, ZERO, 4);
    let probe = admit(&breaker, seconds(5));
    let (left, right) = (early, breaker.clone());
    for (turn, admission) in left.into_iter().enumerate() {
        if turn % 2 == 0 {
            right.failed(admission, seconds(5));
        } else {
            right.succeeded(admission, seconds(5));
        }
    }
    assert_eq!(breaker.state(seconds(5)), CircuitState::HalfOpen);
    breaker.succeeded(probe, seconds(5));
    assert_eq!(breaker.state(seconds(5)), CircuitState::Closed);
}

#[test]
fn a_call_that_is_dropped_is_no_verdict() {
    let breaker = breaker();
    for _ in 0..100 {
        drop(admit(&breaker, ZERO));
    }
    fail(&breaker, ZERO, 3);
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
}

#[test]
fn survives_the_longest_time() {
    let breaker = settings().open_for(Duration::MAX).build().expect("valid settings");
    fail(&breaker, Duration::MAX, 4);
    assert_eq!(breaker.state(seconds(1)), CircuitState::Open);
    assert!(admit(&breaker, Duration::MAX).is_probe());
}

#[test]
fn keeps_the_ratio_of_more_calls_than_it_can_count() {
    let settings = settings().failure_ratio(0.1).minimum_calls(1_000_000);
    let breaker = settings.build().expect("valid settings");
    for _ in 0..250_000 {
        succeed(&breaker, ZERO, 11);
        fail(&breaker, ZERO, 1);
    }
    assert_eq!(breaker.state(ZERO), CircuitState::Closed, "1 of 12");
}

#[test]
fn is_exact_on_many_threads() {
    let settings = settings().failure_ratio(1.0).minimum_calls(40_001);
    let breaker = settings.build().expect("valid settings");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fail(&breaker, ZERO, 10_000));
        }
    });
    assert_eq!(breaker.state(ZERO), CircuitState::Closed);
    fail(&breaker, ZERO, 1);
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
    shared(&breaker());
    sent(&admit(&breaker(), ZERO));
}
