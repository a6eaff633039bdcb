use std::{iter, ops::RangeInclusive, time::Duration};

use super::RetryPolicy;
use crate::backoff::{Backoff, RetryContext, random::Random};

impl<B: Backoff, R, T> RetryPolicy<B, R, T> {
    /// Returns the shortest and the longest delay before each retry; the iterator is endless if the retries are unlimited.
    ///
    /// For tests of a configuration, and for documentation.
    /// Time limits are not taken into account.
    /// The bounds do not hold for a backoff whose delay shrinks as its previous delay grows.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// let policy = RetryPolicy::exponential().base_delay(Duration::from_secs(1)).retries(3);
    /// let longest: Duration = policy.schedule().map(|bounds| *bounds.end()).sum();
    /// assert_eq!(longest, Duration::from_secs(1 + 2 + 4));
    /// ```
    pub fn schedule(&self) -> impl Iterator<Item = RangeInclusive<Duration>> + use<'_, B, R, T> {
        let (mut shortest, mut longest) = (Random::lowest(), Random::highest());
        let mut previous: Option<(Duration, Duration)> = None;
        let mut retry = 0;
        let bounds = iter::from_fn(move || {
            if self.bound().is_some_and(|retries| retry >= retries) {
                return None;
            }
            retry = retry.saturating_add(1);
            let before = previous.unzip();
            let low = self.backoff().delay(&mut RetryContext::new(retry, before.0, &mut shortest));
            let high = self.backoff().delay(&mut RetryContext::new(retry, before.1, &mut longest));
            previous = Some((low, high));
            Some(low..=high)
        });
        bounds.fuse()
    }
}
