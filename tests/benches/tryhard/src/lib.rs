//! tryhard in a program of its own: it switches tokio's test clock on in every crate that it is built with.

use std::time::Duration;

use retry_benches::{form, form::ENOUGH, operation::operation, run::Sets};

/// The forms of tryhard.
pub fn sets() -> Sets {
    const DELAY: Duration = Duration::from_millis(10);
    Sets {
        first: vec![form!("tryhard", {}, |script| {
            tryhard::retry_fn(|| operation(script)).retries(3).exponential_backoff(DELAY)
        })],
        failing: vec![
            form!("tryhard", {}, |script| tryhard::retry_fn(|| operation(script)).retries(ENOUGH))
                .on_timer(),
        ],
    }
}
