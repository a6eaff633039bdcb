//! The one clock of all circuit breakers: tokio's, so that tests can pause it.

use std::{
    sync::LazyLock,
    time::{Duration, Instant as StdInstant},
};

use tokio::time::Instant;

/// The day before it is first asked for, because a clock that another test has paused stands still at an earlier time.
/// A machine that has just started has no such day.
static ORIGIN: LazyLock<StdInstant> = LazyLock::new(|| {
    let now = StdInstant::now();
    now.checked_sub(DAY).unwrap_or(now)
});

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the time since an origin that all breakers of the process share.
pub(super) fn now() -> Duration {
    let origin = *ORIGIN;
    Instant::now().into_std().saturating_duration_since(origin)
}
