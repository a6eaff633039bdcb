//! Protection against overload: a budget limits retries, a circuit breaker stops whole calls.
//!
//! State machines on atomics, without locks and without I/O; only the methods that users call read the clock.

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
