use std::time::Duration;

/// What one call remembers about a [`RetryPolicy`](super::RetryPolicy): the retries it was granted, and its last wait.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub(super) retries: u32,
    // Nanoseconds in half the size of a `Duration`, without its alignment, because every waiting call holds it;
    // saturates after 584 years.
    previous: [u8; 8],
}

impl Progress {
    pub(super) fn previous(self) -> Option<Duration> {
        (self.retries > 0).then(|| Duration::from_nanos(u64::from_ne_bytes(self.previous)))
    }

    pub(super) fn set_previous(&mut self, delay: Duration) {
        self.previous = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX).to_ne_bytes();
    }
}
