use std::time::Duration;

use crate::{
    CircuitBreaker,
    admission::Admission,
    breaker_builder::CircuitBreakerBuilder,
    circuit_state::CircuitState,
    explore,
    phase::Phase,
    tell::told,
    together,
    window::{Counts, Outcome, Window},
};

const OPENED: Duration = Duration::from_secs(100);
const PROBED: Duration = Duration::from_secs(105);

/// Opens at the first failure for 5 s.
fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().minimum_calls(1).failure_ratio(1.0)
}

fn admit(breaker: &CircuitBreaker, now: Duration) -> Admission {
    breaker.admit_at(now).expect("admitted")
}

/// Returns a breaker that is open and may be probed at [`PROBED`].
fn opened(probes: u8) -> CircuitBreaker {
    let breaker = settings().probes(probes).build().expect("valid settings");
    breaker.failed_at(admit(&breaker, OPENED), OPENED);
    breaker
}

#[test]
fn no_outcome_is_lost_when_a_bucket_is_turned_over() {
    explore(3, "three outcomes into a bucket with old counts", || {
        let window = loom::sync::Arc::new(Window::new(Duration::from_secs(10)));
        window.record(Outcome::Failure, Duration::ZERO, 0);
        let shared = loom::sync::Arc::clone(&window);
        together::<3, _>(move |thread| {
            let outcome = if thread == 0 { Outcome::Success } else { Outcome::Failure };
            shared.record(outcome, Duration::from_secs(10), 0);
        });
        let counts = window.counts(Duration::from_secs(10), 0);
        assert_eq!(counts, Counts { failures: 2, successes: 1 });
    });
}

#[test]
fn an_outcome_that_comes_late_does_not_undo_a_turn() {
    explore(2, "an outcome of the lap before, beside one of this", || {
        let window = loom::sync::Arc::new(Window::new(Duration::from_secs(10)));
        let shared = loom::sync::Arc::clone(&window);
        together::<2, _>(move |thread| {
            let now = Duration::from_secs(if thread == 0 { 90 } else { 100 });
            shared.record(Outcome::Failure, now, 0);
        });
        let counts = window.counts(Duration::from_secs(100), 0);
        assert_eq!(counts, Counts { failures: 1, successes: 0 });
    });
}

#[test]
fn of_failures_in_two_buckets_one_sees_both() {
    explore(2, "two failures, of which both are needed, in neighbouring buckets", || {
        let breaker = settings().minimum_calls(2).build().expect("valid settings");
        let shared = breaker.clone();
        together::<2, _>(move |thread| {
            let now = OPENED + Duration::from_secs(thread as u64);
            // The one that read the clock first may be the last to count.
            let admission = admit(&shared, now);
            shared.failed_at(admission, now);
        });
        assert_eq!(breaker.state_at(OPENED + Duration::from_secs(1)), CircuitState::Open);
    });
}

#[test]
fn opens_once() {
    explore(3, "three failures, of which each is enough", || {
        let breaker = settings().build().expect("valid settings");
        let shared = breaker.clone();
        told();
        together::<3, _>(move |_| {
            if let Ok(admission) = shared.admit_at(OPENED) {
                shared.failed_at(admission, OPENED);
            }
        });
        assert_eq!(breaker.state_at(OPENED), CircuitState::Open);
        assert_eq!(told(), [(CircuitState::Closed, CircuitState::Open)], "by one of them");
        // Closed is 0, open is 1.
        assert_eq!(admit(&breaker, PROBED).generation, 2);
    });
}

fn lets_through<const PROBES: u8>() {
    let breaker = opened(PROBES);
    told();
    let shared = breaker.clone();
    let admitted = together::<3, _>(move |_| shared.admit_at(PROBED).ok());
    assert_eq!(admitted.iter().flatten().count(), usize::from(PROBES));
    assert!(admitted.iter().flatten().all(Admission::is_probe));
    assert!(breaker.admit_at(PROBED).is_err());
    for admission in admitted.into_iter().flatten() {
        assert_eq!(breaker.state_at(PROBED), CircuitState::HalfOpen);
        breaker.succeeded_at(admission, PROBED);
    }
    assert_eq!(breaker.state_at(PROBED), CircuitState::Closed);
    let (open, half_open, closed) =
        (CircuitState::Open, CircuitState::HalfOpen, CircuitState::Closed);
    assert_eq!(told(), [(open, half_open), (half_open, closed)]);
}

#[test]
fn lets_no_more_probes_through_than_allowed() {
    explore(3, "three calls for the place of one probe", lets_through::<1>);
    explore(3, "three calls for the places of two probes", lets_through::<2>);
}

#[test]
fn a_probe_that_is_dropped_gives_its_place_back() {
    explore(3, "three calls that are cancelled, for two places", || {
        let breaker = opened(2);
        let shared = breaker.clone();
        together::<3, _>(move |_| drop(shared.admit_at(PROBED)));
        let again = [(); 2].map(|()| admit(&breaker, PROBED));
        assert!(breaker.admit_at(PROBED).is_err());
        for admission in again {
            breaker.succeeded_at(admission, PROBED);
        }
        assert_eq!(breaker.state_at(PROBED), CircuitState::Closed);
    });
}

#[derive(Clone, Copy)]
enum End {
    Success,
    Failure,
    Drop,
}

/// Ends two probes at once and returns the state after that.
fn ends(ends: [End; 2]) -> CircuitState {
    let breaker = opened(2);
    let probes = [(); 2].map(|()| loom::sync::Mutex::new(breaker.admit_at(PROBED).ok()));
    let shared = breaker.clone();
    together::<2, _>(move |thread| {
        let probe = probes[thread].lock().expect("not poisoned").take().expect("once");
        match ends[thread] {
            End::Success => shared.succeeded_at(probe, PROBED),
            End::Failure => shared.failed_at(probe, PROBED),
            End::Drop => drop(probe),
        }
    });
    breaker.state_at(PROBED)
}

#[test]
fn probes_that_end_together_give_one_verdict() {
    use End::{Drop, Failure, Success};
    for (both, expected) in [
        ([Success, Success], CircuitState::Closed),
        ([Success, Failure], CircuitState::Open),
        ([Failure, Failure], CircuitState::Open),
        ([Success, Drop], CircuitState::HalfOpen),
        ([Failure, Drop], CircuitState::Open),
        ([Drop, Drop], CircuitState::HalfOpen),
    ] {
        explore(2, "two probes that end together", move || assert_eq!(ends(both), expected));
    }
}

#[test]
fn a_failure_from_before_does_not_count_after_closing() {
    explore(2, "a late failure while a probe closes", || {
        let breaker = settings().build().expect("valid settings");
        let late = admit(&breaker, OPENED);
        breaker.failed_at(admit(&breaker, OPENED), OPENED);
        let admissions = [late, admit(&breaker, PROBED)];
        let admissions = admissions.map(|admission| loom::sync::Mutex::new(Some(admission)));
        let shared = breaker.clone();
        together::<2, _>(move |thread| {
            let admission = admissions[thread].lock().expect("not poisoned").take().expect("once");
            match thread {
                0 => shared.failed_at(admission, PROBED),
                _ => shared.succeeded_at(admission, PROBED),
            }
        });
        assert_eq!(breaker.state_at(PROBED), CircuitState::Closed);
    });
}

/// Returns the state after something was done to a breaker while a probe ends.
fn while_a_probe_ends(phase: Phase, end: End) -> CircuitState {
    let breaker = opened(1);
    let probe = loom::sync::Mutex::new(Some(admit(&breaker, PROBED)));
    let shared = breaker.clone();
    together::<2, _>(move |thread| {
        if thread == 0 {
            return shared.go(phase, PROBED);
        }
        let probe = probe.lock().expect("not poisoned").take().expect("once");
        match end {
            End::Success => shared.succeeded_at(probe, PROBED),
            End::Failure => shared.failed_at(probe, PROBED),
            End::Drop => drop(probe),
        }
    });
    breaker.state_at(PROBED)
}

#[test]
fn what_a_person_does_holds_whatever_a_probe_says() {
    for end in [End::Success, End::Failure, End::Drop] {
        explore(2, "forced open while a probe ends", move || {
            assert_eq!(while_a_probe_ends(Phase::ForcedOpen, end), CircuitState::ForcedOpen);
        });
        explore(2, "reset while a probe ends", move || {
            assert_eq!(while_a_probe_ends(Phase::Closed, end), CircuitState::Closed);
        });
    }
}

#[test]
fn what_happened_after_the_clock_was_read_counts() {
    explore(1, "a failure whose clock was read before those of three others", || {
        let breaker = settings().minimum_calls(4).build().expect("valid settings");
        for _ in 0..3 {
            breaker.failed_at(admit(&breaker, OPENED), OPENED);
        }
        let before = OPENED - Duration::from_millis(1);
        breaker.failed_at(admit(&breaker, before), before);
        assert_eq!(breaker.state_at(OPENED), CircuitState::Open);
    });
}
