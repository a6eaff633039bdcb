//! What needs no server: the attribute, the policies, and what watches over a call, on a paused clock.
#![allow(missing_docs)]

mod attribute;
mod behaviour;
mod delays;
mod fred_errors;
mod guards;
mod hidden_errors;
mod imports;
mod overload;
mod signatures;
mod simulations;
