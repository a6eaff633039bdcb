//! What keeps retries from making an overload worse: a budget on them, and a circuit breaker on whole calls.
//!
//! Pure state machines on atomics: no lock, no clock of their own, no I/O.

mod admission;
mod breaker;
mod breaker_builder;
mod budget;
mod budget_builder;
mod phase;
mod sync;
mod window;

pub use self::{
    admission::{Admission, Rejected},
    breaker::{CircuitBreaker, CircuitState},
    breaker_builder::CircuitBreakerBuilder,
    budget::{Budget, BudgetEmpty, BudgetStatistics, Charge, Cost, Permit},
    budget_builder::BudgetBuilder,
};
