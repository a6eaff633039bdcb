//! What the budget and the circuit breaker do, event by event.

mod breaker;
mod budget;
