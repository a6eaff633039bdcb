//! What keeps retries from making an overload worse: a budget on them, and a circuit breaker on whole calls.
//!
//! Pure state machines on atomics: no lock, no clock of their own, no I/O.

mod budget;
mod builder;
mod sync;

pub use self::{
    budget::{Budget, BudgetEmpty, BudgetStatistics, Charge, Cost, Permit},
    builder::BudgetBuilder,
};
