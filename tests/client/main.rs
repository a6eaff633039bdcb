//! The client on one server: what counts is what the server executed.
#![allow(missing_docs)]

mod blocking;
mod commands;
mod connect;
mod dedicated;
mod elapsed;
mod faults;
mod forms;
mod guards;
mod in_flight;
mod live;
mod lost;
mod optimistic;
mod password;
mod pipeline;
mod refusals;
mod silence;
mod state;
mod transaction;
