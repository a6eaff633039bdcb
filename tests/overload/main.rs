//! What the budget and the circuit breaker do, event by event.
#![allow(missing_docs)]

mod breaker;
mod budget;
