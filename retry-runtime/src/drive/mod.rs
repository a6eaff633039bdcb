//! Drives sessions on tokio: clocks, cut attempts, hooks and waits.

pub(crate) mod call;
mod clock;
pub(crate) mod hook;
mod outcome;

pub(crate) use call::{Call, Verdict, wait};
#[cfg(feature = "fred")]
pub(crate) use clock::Timer;
pub(crate) use clock::{Clock, Clocked, CutInto};
pub(crate) use hook::{HookResult, run_hook};
pub(crate) use outcome::{Outcome, RepresentsTimeLimit};
