//! Drives sessions on tokio: clocks, guards, cut attempts, hooks and waits.

pub(crate) mod call;
mod clock;
mod guard;
pub(crate) mod hook;
mod outcome;
mod rest;
pub(crate) mod scope;
mod token;

#[cfg(feature = "fred")]
pub(crate) use call::Failed;
pub(crate) use call::{Call, Verdict};
#[cfg(feature = "fred")]
pub(crate) use clock::Timer;
pub(crate) use clock::{Clock, Clocked, CutInto};
pub(crate) use guard::{Guard, Guarding};
pub(crate) use hook::{HookResult, run_hook};
pub(crate) use outcome::{Outcome, RepresentsCut};
pub(crate) use rest::Rest;
pub(crate) use scope::{Enclosing, Scoped};
pub(crate) use token::Token;
