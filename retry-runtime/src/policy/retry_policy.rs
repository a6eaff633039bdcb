use std::{any, fmt, time::Duration};

use super::{
    ByDisposition, Classified, Decide, Decision, Limits, Measured, NoRetry, Policy, RetryDelay,
    Rule, Timed, Timing, Untimed,
    hints::{Beyond, Hints},
    progress::Progress,
    timing::limited,
};
use crate::{
    backoff::{Backoff, Constant, Exponential, RetryContext, jitter::Jitter, random::Random},
    config_error::ConfigError,
    failure::{Failure, GiveUpReason},
};

/// Retries a limited number of times, after the delays of a [`Backoff`].
///
/// Call the methods in any order, also in constants:
///
/// ```
/// use retry_runtime::{Exponential, RetryPolicy, policy::{ByDisposition, Timed}};
/// use std::time::Duration;
///
/// // Checked by the compiler, shared by every function that names it.
/// const PLAIN: RetryPolicy = RetryPolicy::exponential().retries(5);
///
/// // A deadline shows in the type, because the error type must be able to represent it.
/// const LOOKUP: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
///     .deadline(Duration::from_secs(30))
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(5))
///     .retries(5);
/// ```
///
/// `B` is the backoff, `R` the rule that names the errors to retry (see [`on`](Self::on)), and `T` the time limits.
///
/// | setting | default |
/// | --- | --- |
/// | [`retries`](Self::retries), [`unlimited`](Self::unlimited) | 2 retries, so up to 3 attempts |
/// | [`base_delay`](RetryPolicy::base_delay) | 50 ms |
/// | [`factor`](RetryPolicy::factor) | 2 |
/// | [`max_delay`](RetryPolicy::max_delay) | 20 s |
/// | `jitter` | [`Jitter::Full`] for `exponential`, [`Jitter::None`] for `constant` |
/// | [`on`](Self::on) | the [`Disposition`](crate::Disposition) of the error decides |
/// | [`max_hint`](Self::max_hint) | 5 s beyond the policy's own delay |
/// | [`cap_hints`](Self::cap_hints) | off: a longer hint ends the call |
/// | [`deadline`](RetryPolicy::deadline), [`attempt_timeout`](RetryPolicy::attempt_timeout), [`retry_for`](RetryPolicy::retry_for) | no limit |
///
/// A method that changes one of the types, such as `on` or `deadline`, requires the other two to be `Copy`, because the
/// compiler cannot run destructors in constants.
/// If a closure captures something that is not `Copy`, name it last.
/// Or call the method of [`PolicyExt`](crate::PolicyExt), which wraps the policy: `PolicyExt::deadline(policy, limit)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryPolicy<B = Exponential, R = ByDisposition, T = Untimed> {
    backoff: B,
    rule: R,
    // `None` is without bound. Private: the builder spells it `unlimited`.
    retries: Option<u32>,
    hints: Hints,
    timing: T,
}

impl<B> RetryPolicy<B> {
    const DEFAULT_RETRIES: u32 = 2;

    /// Creates a policy that retries twice, after the delays of `backoff`.
    pub const fn new(backoff: B) -> Self {
        let retries = Some(Self::DEFAULT_RETRIES);
        let rule = ByDisposition::new(super::Idempotence::NotIdempotent);
        Self { backoff, rule, retries, hints: Hints::DEFAULT, timing: Untimed }
    }
}

impl<B, R, T> RetryPolicy<B, R, T> {
    /// Allows `retries` attempts after the first: `retries(2)` makes up to three, `retries(0)` never retries.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Removes the limit on the number of retries; a deadline or dropping the future still ends the call.
    pub const fn unlimited(mut self) -> Self {
        self.retries = None;
        self
    }

    /// Sets by how much a hint of the server may extend the policy's delay; 5 s unless set.
    ///
    /// A longer hint ends the call at once, with [`GiveUpReason::RetryAfter`]: an earlier attempt would fail, and only
    /// delay the caller.
    /// The hint of an error is its [`Classify::retry_after`](crate::failure::classify::Classify::retry_after).
    /// Counted in whole milliseconds.
    ///
    /// ```
    /// use retry_runtime::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// // A background job has time.
    /// let patient = RetryPolicy::exponential().max_hint(Duration::from_secs(120));
    /// # let _ = patient;
    /// ```
    pub const fn max_hint(mut self, longer: Duration) -> Self {
        let millis = longer.as_millis();
        #[expect(clippy::cast_possible_truncation, reason = "cut to the largest value before")]
        let millis = if millis > u64::MAX as u128 { u64::MAX } else { millis as u64 };
        self.hints.longest = millis;
        self
    }

    /// Makes the next attempt after [`max_hint`](Self::max_hint) if the server asks for a longer delay, instead of giving
    /// up.
    ///
    /// For servers whose hints you do not trust.
    pub const fn cap_hints(mut self) -> Self {
        self.hints.beyond = Beyond::Cap;
        self
    }

    /// Returns the largest number of retries, `None` for no limit.
    pub(crate) const fn bound(&self) -> Option<u32> {
        self.retries
    }

    /// Returns the backoff.
    pub const fn backoff(&self) -> &B {
        &self.backoff
    }
}

impl<B: Copy, R: Copy, T: Copy> RetryPolicy<B, R, T> {
    /// Retries the errors that `rule` names, and only those, whatever their disposition.
    ///
    /// A rule is a function or closure `fn(&E) -> bool`, or an error class set; see [`Rule`](crate::policy::Rule).
    /// A later `on` replaces the rule.
    ///
    /// ```
    /// use retry_runtime::{Constant, RetryPolicy};
    /// use std::{io, time::Duration};
    ///
    /// fn is_refused(error: &io::Error) -> bool {
    ///     error.kind() == io::ErrorKind::ConnectionRefused
    /// }
    ///
    /// const RECONNECT: RetryPolicy<Constant, fn(&io::Error) -> bool> =
    ///     RetryPolicy::constant(Duration::from_millis(10)).retries(9).on(is_refused);
    /// ```
    pub const fn on<M>(self, rule: M) -> RetryPolicy<B, M, T> {
        let Self { backoff, retries, hints, timing, .. } = self;
        RetryPolicy { backoff, rule, retries, hints, timing }
    }

    /// Adds the error's own classification to the rule; see [`Classified`].
    pub const fn classified(self) -> RetryPolicy<B, Classified<R>, T> {
        self.on(Classified::new(self.rule))
    }

    const fn timed<U>(self, timing: U) -> RetryPolicy<B, R, U> {
        let Self { backoff, rule, retries, hints, .. } = self;
        RetryPolicy { backoff, rule, retries, hints, timing }
    }
}

/// Writes the limits for each timing, because each changes the type in its own way.
macro_rules! limits {
    ($($from:ty: $measured:ty),*) => {$(
        impl<B: Copy, R: Copy> RetryPolicy<B, R, $from> {
            /// Limits the whole call, from the start of its first attempt: waits, hooks and the running attempt included.
            ///
            /// No attempt starts after the deadline, no wait begins that would pass it, and an attempt that is still running is
            /// aborted.
            /// An aborted attempt has no error of its own, so the error type must implement
            /// `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
            /// [`retry_for`](Self::retry_for) aborts nothing and works with every error type.
            /// A deadline of zero makes no attempt.
            ///
            /// ```
            /// use retry_runtime::RetryPolicy;
            /// use std::{io, time::Duration};
            ///
            /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
            /// let policy = RetryPolicy::exponential().deadline(Duration::from_secs(1)).retries(5);
            /// let error: io::Error = policy.retry(std::future::pending::<io::Result<()>>).await.unwrap_err();
            /// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            /// # });
            /// # Ok::<(), io::Error>(())
            /// ```
            pub const fn deadline(self, deadline: Duration) -> RetryPolicy<B, R, Timed> {
                self.timed(self.timing.deadline(deadline))
            }

            /// Limits each attempt; one that takes longer is aborted, and its outcome is
            /// [`Disposition::Unknown`](crate::failure::classify::Disposition::Unknown).
            ///
            /// An aborted attempt has no error of its own, so the error type must implement
            /// `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
            /// Does not apply to a `blocking` function, whose attempts nothing can abort.
            /// A timeout of zero aborts every attempt that is not ready at once.
            pub const fn attempt_timeout(self, timeout: Duration) -> RetryPolicy<B, R, Timed> {
                self.timed(self.timing.attempt_timeout(timeout))
            }

            /// Begins no retry once `limit` has passed since the start of the call, and no wait that would pass it.
            ///
            /// Aborts nothing, and therefore works with every error type: a running attempt can take as long as it needs, and
            /// the caller gets its outcome.
            /// The first attempt is always made; with a limit of zero it is the only one.
            ///
            /// ```
            /// use retry_runtime::{Classify, Disposition, RetryPolicy};
            /// use std::time::Duration;
            ///
            /// // Imagine a type of another crate: it has no value for "took too long".
            /// #[derive(Debug)]
            /// struct StatusCode(u16);
            ///
            /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
            /// let policy = RetryPolicy::exponential().unlimited().retry_for(Duration::from_secs(10));
            /// let busy = async || Err::<(), _>(StatusCode(503));
            /// assert_eq!(policy.retry(busy).when(|status| status.0 == 503).await.unwrap_err().0, 503);
            /// # });
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub const fn retry_for(self, limit: Duration) -> RetryPolicy<B, R, $measured> {
                self.timed(self.timing.retry_for(limit))
            }
        }
    )*};
}

limits!(Untimed: Measured, Measured: Measured, Timed: Timed);

impl RetryPolicy<Constant> {
    /// Creates a policy that retries twice, each time after `delay`, without jitter.
    pub const fn constant(delay: Duration) -> Self {
        Self::new(Constant::new(delay))
    }
}

impl<R, T> RetryPolicy<Constant, R, T> {
    /// Randomises the delay; see [`Constant::jitter`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.backoff = self.backoff.jitter(jitter);
        self
    }
}

impl RetryPolicy {
    /// Creates a policy that retries twice, with the delays of [`Exponential::new`].
    pub const fn exponential() -> Self {
        Self::new(Exponential::new())
    }
}

impl<R, T> RetryPolicy<Exponential, R, T> {
    /// Sets the delay before the first retry.
    ///
    /// A shorter `max_delay` applies to it, too.
    pub const fn base_delay(mut self, base_delay: Duration) -> Self {
        self.backoff = self.backoff.base_delay(base_delay);
        self
    }

    /// Sets the longest delay, before jitter.
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.backoff = self.backoff.max_delay(max_delay);
        self
    }

    /// Sets the factor by which the delay grows; a factor below 1 or NaN counts as 1.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.backoff = self.backoff.factor(factor);
        self
    }

    /// Sets how the delays are randomised.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.backoff = self.backoff.jitter(jitter);
        self
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::exponential()
    }
}

/// Writes the check of a policy of each of our backoffs.
macro_rules! check {
    ($($backoff:ty: $errors:literal),*) => {$(
        impl<R: Copy, T: Copy> RetryPolicy<$backoff, R, T> {
            /// Returns the policy, or an error if its settings contradict each other; see [`Exponential::check`].
            ///
            /// # Errors
            ///
            #[doc = $errors]
            pub const fn check(self) -> Result<Self, ConfigError> {
                match self.backoff.check() {
                    Ok(_) => Ok(self),
                    Err(error) => Err(error),
                }
            }
        }
    )*};
}

check!(
    Constant: "Returns [`ConfigError::JitterNeedsGrowth`] for jitter that does nothing to a constant delay.",
    Exponential: "Returns the [`ConfigError`] with the impossible value."
);

impl<B: Backoff, R, T: Timing> Policy for RetryPolicy<B, R, T> {
    type State = Progress;
    type Timing = T;

    #[inline]
    fn limits(&self) -> Limits {
        self.timing.own_limits()
    }

    fn budgets(&self) -> u32 {
        0
    }

    fn attempts(&self) -> Option<u32> {
        self.retries.map(|retries| retries.saturating_add(1))
    }
}

impl<B, R, T, E, C> Decide<E, C> for RetryPolicy<B, R, T>
where
    B: Backoff,
    R: Rule<E, C>,
    T: Timing,
{
    #[inline]
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &C,
        state: &mut Progress,
        random: &mut Random,
    ) -> Decision {
        let info = self.rule.info(failure, rule);
        if !self.rule.allows(failure, rule) {
            return Decision::GiveUp(NoRetry { reason: info.refusal(), info });
        }
        if self.retries.is_some_and(|retries| state.retries >= retries) {
            return Decision::GiveUp(NoRetry { reason: GiveUpReason::RetriesExhausted, info });
        }
        let previous = state.previous();
        state.retries = state.retries.saturating_add(1);
        let delay = self.backoff.delay(&mut RetryContext::new(state.retries, previous, random));
        state.set_previous(delay);
        let decision = match info.retry_after {
            Some(asked) => self.hints.decide(delay, asked, info),
            None => Decision::Retry(RetryDelay { delay, start_before: None, info }),
        };
        limited(decision, self.timing.own_limits(), failure)
    }
}

/// Prints the name of the rule's type, because functions and closures do not implement `Debug`.
impl<B: fmt::Debug, R, T: fmt::Debug> fmt::Debug for RetryPolicy<B, R, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backoff, rule: _, retries, hints, timing } = self;
        formatter
            .debug_struct("RetryPolicy")
            .field("backoff", backoff)
            .field("rule", &format_args!("{}", any::type_name::<R>()))
            .field("retries", retries)
            .field("hints", hints)
            .field("timing", timing)
            .finish()
    }
}
