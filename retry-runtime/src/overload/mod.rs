//! What keeps retries from making an overload worse: a budget on them, and a circuit breaker on whole calls.
//!
//! State machines on atomics, without a lock and without I/O: only what a user calls reads the clock.

mod admission;
mod breaker;
mod breaker_builder;
mod budget;
mod budget_builder;
mod circuit;
mod circuit_state;
mod clock;
mod phase;
#[cfg(feature = "metrics")]
mod publish;
mod sync;
mod tell;
mod window;

pub use self::{
    admission::Admission,
    breaker::CircuitBreaker,
    breaker_builder::CircuitBreakerBuilder,
    budget::{Budget, BudgetEmpty, BudgetStatistics, Charge, Permit},
    budget_builder::BudgetBuilder,
    circuit_state::{CircuitState, CircuitStatistics},
};
#[cfg(feature = "fred")]
pub(crate) use crate::failure::cost::Cost;
