use std::{iter, ops::RangeInclusive, time::Duration};

use crate::{Backoff, Limited, Random, RetryPolicy, Wait};

impl<B: Backoff> RetryPolicy<B> {
    /// Returns the waits before the retries as bounds, which are equal where nothing is random; without end for a policy
    /// without bound.
    ///
    /// For tests that hold a configuration, and for documentation.
    /// A backoff that waits for the longest the shorter it waited before is outside of the bounds.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// let policy = RetryPolicy::exponential().base_delay(Duration::from_secs(1)).retries(3);
    /// let longest: Duration = policy.schedule().map(|bounds| *bounds.end()).sum();
    /// assert_eq!(longest, Duration::from_secs(1 + 2 + 4));
    /// ```
    pub fn schedule(&self) -> impl Iterator<Item = RangeInclusive<Duration>> + use<'_, B> {
        let (mut shortest, mut longest) = (Random::lowest(), Random::highest());
        let mut previous: Option<(Duration, Duration)> = None;
        let mut retry = 0;
        let bounds = iter::from_fn(move || {
            if self.bound().is_some_and(|retries| retry >= retries) {
                return None;
            }
            retry = retry.saturating_add(1);
            let before = previous.unzip();
            let low = self.backoff().delay(&mut Wait::new(retry, before.0, &mut shortest));
            let high = self.backoff().delay(&mut Wait::new(retry, before.1, &mut longest));
            previous = Some((low, high));
            Some(low..=high)
        });
        bounds.fuse()
    }
}

impl<B: Backoff> Limited<RetryPolicy<B>> {
    /// Returns the waits of the policy below, see [`RetryPolicy::schedule`]; the deadline may end a call before.
    pub fn schedule(&self) -> impl Iterator<Item = RangeInclusive<Duration>> + use<'_, B> {
        self.policy().schedule()
    }
}
