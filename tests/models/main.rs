//! The budget and the circuit breaker in every order that threads can take.
//!
//! The files of the runtime are compiled here with the atomics of loom, which runs a model again and again until it has
//! seen every interleaving and every value that a relaxed load may return; three threads up to two preemptions.
#![allow(missing_docs, dead_code, reason = "not all of the runtime's files is used here")]

#[path = "../../retry-runtime/src/overload/admission.rs"]
mod admission;
#[path = "../../retry-runtime/src/overload/breaker.rs"]
mod breaker;
#[path = "../../retry-runtime/src/overload/breaker_builder.rs"]
mod breaker_builder;
mod breaker_models;
#[path = "../../retry-runtime/src/overload/budget.rs"]
mod budget;
#[path = "../../retry-runtime/src/overload/budget_builder.rs"]
mod budget_builder;
mod budget_models;
#[path = "../../retry-runtime/src/overload/circuit.rs"]
mod circuit;
#[path = "../../retry-runtime/src/overload/circuit_state.rs"]
mod circuit_state;
#[path = "../../retry-runtime/src/failure/cost.rs"]
mod cost;
#[path = "../../retry-runtime/src/overload/phase.rs"]
mod phase;
#[path = "../../retry-runtime/src/overload/publish.rs"]
mod publish;
mod publish_models;
#[path = "../../retry-runtime/src/failure/rejected.rs"]
mod rejected;
#[path = "../../retry-runtime/src/overload/window.rs"]
mod window;

mod config_error {
    pub(super) use retry_runtime::policy::ConfigError;
}

mod failure {
    pub(super) use super::{cost, rejected};

    pub(super) mod classify {
        pub(crate) use retry_runtime::Disposition;
    }

    pub(super) mod info {
        pub(crate) use retry_runtime::breaker::FailureReport;
    }
}

mod sync {
    pub(super) use loom::sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering, fence},
    };
}

mod clock {
    use std::time::Duration;

    pub(super) fn now() -> Duration {
        unreachable!("the models choose the time")
    }
}

mod tell {
    use std::cell::RefCell;

    use crate::circuit_state::{CircuitState, Transition};

    thread_local! {
        /// What the model told; all its threads run on one of the system's.
        static TOLD: RefCell<Vec<(CircuitState, CircuitState)>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn transition(transition: &Transition) {
        TOLD.with_borrow_mut(|told| told.push((transition.from, transition.to)));
    }

    pub(super) fn level(_: impl Fn() -> std::borrow::Cow<'static, str>, _: impl Fn() -> u32) {}

    pub(super) fn state(_: &'static str, _: impl Fn() -> CircuitState) {}

    /// Returns what was told since the last time.
    pub(super) fn told() -> Vec<(CircuitState, CircuitState)> {
        TOLD.take()
    }
}

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{breaker::CircuitBreaker, budget::Budget, cost::Cost};

/// How often a thread that could go on is stopped in one order, unless `LOOM_MAX_PREEMPTIONS` says more; two threads are
/// explored without bound.
const PREEMPTIONS: usize = 2;

/// Runs a model of so many threads in every order and prints how many there were.
fn explore(threads: usize, name: &str, model: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let mut builder = loom::model::Builder::new();
    if threads > 2 {
        builder.preemption_bound.get_or_insert(PREEMPTIONS);
    }
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{threads} threads, {name}: {} orders", orders.load(Ordering::Relaxed));
}

/// Runs a function on threads of its own, all at once, and returns what each returned.
fn together<const THREADS: usize, T: 'static>(
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> [T; THREADS] {
    let run = Arc::new(run);
    let threads: [_; THREADS] = array::from_fn(|index| {
        let run = Arc::clone(&run);
        loom::thread::spawn(move || run(index))
    });
    threads.map(|thread| thread.join().expect("the thread ended well"))
}
