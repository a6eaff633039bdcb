//! What a call does, on a paused clock.

mod attempts;
mod busy;
mod cancellation;
mod composites;
mod forms;
mod groups;
mod hooks;
mod io_errors;
mod limits;
mod order;
mod script;
mod sharing;
mod what_hooks_see;
