//! Drives sessions on tokio: clocks, guards, aborted attempts, hooks and waits.

pub(crate) mod call;
mod clock;
mod decide;
#[cfg(feature = "fred")]
mod elsewhere;
mod guard;
pub(crate) mod hook;
pub(crate) mod name;
pub(crate) mod outcome;
mod print;
mod rest;
pub(crate) mod scope;
mod timer;
mod wait;

pub(crate) use call::{Call, Verdict};
#[cfg(feature = "fred")]
pub(crate) use call::{Failed, Over, Retrying};
pub(crate) use clock::{Clock, Clocked};
pub(crate) use guard::{CallGuards, GuardedClock};
pub(crate) use hook::{HookResult, run_hook};
pub(crate) use outcome::{Outcome, RepresentsAbort};
pub(crate) use rest::Rest;
pub(crate) use scope::{Enclosing, Scoped};
#[cfg(feature = "fred")]
pub(crate) use timer::Timer;
