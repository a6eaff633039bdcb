//! Drives sessions on tokio: clocks, cut attempts, hooks and waits.

mod call;
mod clock;
mod hook;
mod outcome;

pub use call::{Call, ErrorType, Verdict, on_error, wait};
pub use clock::{Clock, Clocked, CutInto, Limits as AttemptLimits, NoClock, StopWatch, Timer};
pub use hook::{HookOutput, HookResult, run_hook};
pub use outcome::{Outcome, RepresentsTimeLimit};
