//! A way to write a retried call, ready to be run many times.

use std::{hint::black_box, time::Duration};

use tokio::runtime::{Builder, Runtime};

use crate::operation::Script;

/// One way to write a retried call.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// What the tables call it.
    pub name: &'static str,
    /// Makes a number of calls one after the other, each of which fails a number of times and then succeeds.
    pub run: fn(&Runtime, calls: u64, failures: u32),
    /// Whether a wait of zero goes through the timer, which takes a millisecond.
    pub pace: Pace,
}

/// How long a form takes for a wait of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It does not wait, or only gives other tasks their turn.
    Immediate,
    /// It waits for the next tick of a timer.
    Timer,
}

impl Form {
    /// Marks a form whose wait of zero takes a millisecond.
    pub const fn on_timer(mut self) -> Self {
        self.pace = Pace::Timer;
        self
    }
}

/// The runtime that every form runs on.
pub fn runtime() -> Runtime {
    let built = Builder::new_current_thread().enable_time().build();
    built.expect("a runtime without I/O needs nothing of the system")
}

/// Runs calls in one `block_on`; the loop is the same for every form.
pub fn repeat(runtime: &Runtime, calls: u64, failures: u32, mut call: impl AsyncFnMut(&Script)) {
    let script = Script::default();
    runtime.block_on(async {
        for _ in 0..calls {
            script.set(black_box(failures));
            call(&script).await;
        }
    });
}

/// The delay of policies that are not meant to wait in a measurement of the first attempt.
pub const SECOND: Duration = Duration::from_secs(1);

/// How many retries the forms allow that do fail.
pub const ENOUGH: u32 = 20;

/// How often the calls fail that do.
pub const FAILURES: [u32; 3] = [1, 3, 10];

/// Makes a [`Form`] of an expression that is a future; what is made once per run comes before the arrow.
#[macro_export]
macro_rules! form {
    ($name:literal, |$script:ident| $call:expr) => {
        $crate::form!($name, {}, |$script| $call)
    };
    ($name:literal, { $($setup:stmt;)* }, |$script:ident| $call:expr) => {
        $crate::form::Form {
            name: $name,
            run: |runtime, calls, failures| {
                $($setup)*
                $crate::form::repeat(runtime, calls, failures, async |$script: &$crate::operation::Script| {
                    let _ = ::std::hint::black_box($call.await);
                });
            },
            pace: $crate::form::Pace::Immediate,
        }
    };
}
