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

/// Retries a limited number of times, waiting as a [`Backoff`] says.
///
/// Two retries unless set otherwise, so up to three attempts.
/// The methods may be called in any order, and in constants:
///
/// ```
/// use retry_runtime::{Exponential, RetryPolicy, policy::{ByDisposition, Timed}};
/// use std::time::Duration;
///
/// // Checked by the compiler, shared by every function that names it.
/// const PLAIN: RetryPolicy = RetryPolicy::exponential().retries(5);
///
/// // A policy with a deadline says so in its type: the errors of its calls must be able to represent one.
/// const LOOKUP: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
///     .deadline(Duration::from_secs(30))
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(5))
///     .retries(5);
/// ```
///
/// `B` is the backoff, `R` names the errors to retry, see [`on`](Self::on), and `T` says whether there is a limit on
/// time.
///
/// A method that changes one of the types, such as `on` or `deadline`, needs the others to be `Copy`, because the
/// compiler cannot run destructors in constants.
/// So name a closure that captures what is not `Copy` last, or call the method of [`PolicyExt`](crate::closure::PolicyExt), which
/// wraps the policy: `PolicyExt::deadline(policy, limit)`.
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

    /// Retries twice, waiting as `backoff` says.
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

    /// Retries without bound; a deadline or dropping the future still ends the call.
    pub const fn unlimited(mut self) -> Self {
        self.retries = None;
        self
    }

    /// Sets how much longer than the policy says a call waits because the server asks for it; 5 s unless set.
    ///
    /// A server that asks for more ends the call at once, with [`GiveUpReason::RetryAfter`]: an earlier attempt would be in
    /// vain, and hold up the caller.
    /// How long a server asks to be left alone is said by [`Classify::retry_after`](crate::failure::classify::Classify::retry_after).
    /// Counted in milliseconds.
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

    /// Makes the next attempt after [`max_hint`](Self::max_hint) although the server asks for a longer wait, instead of
    /// giving up.
    ///
    /// For a server whose word is not to be relied on.
    pub const fn cap_hints(mut self) -> Self {
        self.hints.beyond = Beyond::Cap;
        self
    }

    /// Returns the retries that are allowed, `None` without bound.
    pub(crate) const fn bound(&self) -> Option<u32> {
        self.retries
    }

    /// Returns the backoff.
    pub const fn backoff(&self) -> &B {
        &self.backoff
    }
}

impl<B: Copy, R: Copy, T: Copy> RetryPolicy<B, R, T> {
    /// Retries the errors that `rule` names, and only them: the caller has decided.
    ///
    /// A rule is a function or closure `fn(&E) -> bool`, or an error class set; see [`Rule`](crate::policy::Rule).
    /// A rule that is named later takes the place of this one.
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

    /// Adds to the rule what the error says of itself; see [`Classified`].
    pub const fn classified(self) -> RetryPolicy<B, Classified<R>, T> {
        self.on(Classified::new(self.rule))
    }

    const fn timed<U>(self, timing: U) -> RetryPolicy<B, R, U> {
        let Self { backoff, rule, retries, hints, .. } = self;
        RetryPolicy { backoff, rule, retries, hints, timing }
    }
}

/// Writes the limits for each timing, because what they make of it is known to the compiler.
macro_rules! limits {
    ($($from:ty: $measured:ty),*) => {$(
        impl<B: Copy, R: Copy> RetryPolicy<B, R, $from> {
            /// Limits the whole call, from the start of its first attempt: waits, hooks and the running attempt included.
            ///
            /// No attempt starts after it, no wait begins that would pass it, and an attempt still running is aborted: such
            /// a call has no error of its own, so the error type must implement `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
            /// [`retry_for`](Self::retry_for) asks nothing of the error type, and aborts nothing.
            /// Zero aborts the first attempt before it begins.
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

            /// Limits each attempt, whose outcome is then [`Disposition::Unknown`](crate::failure::classify::Disposition::Unknown).
            ///
            /// An attempt that is aborted has no error of its own, so the error type must implement
            /// `From<`[`Aborted`](crate::failure::aborted::Aborted)`>`.
            /// Does not apply to a `blocking` function, whose attempts nothing can abort.
            /// Zero aborts every attempt that is not ready at once.
            pub const fn attempt_timeout(self, timeout: Duration) -> RetryPolicy<B, R, Timed> {
                self.timed(self.timing.attempt_timeout(timeout))
            }

            /// Begins no retry after so long a time since the start of the call, and no wait that would pass it.
            ///
            /// Aborts nothing, and so works with every error type: an attempt that runs may take as long as it likes, and
            /// the caller gets its outcome.
            /// The first attempt is always made; zero makes it the only one.
            ///
            /// ```
            /// use retry_runtime::{Classify, Disposition, RetryPolicy};
            /// use std::time::Duration;
            ///
            /// // The status of some other crate: it has no value for "took too long".
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
    /// Retries twice after `delay` each, without jitter.
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
    /// Retries twice with the delays of [`Exponential::new`].
    pub const fn exponential() -> Self {
        Self::new(Exponential::new())
    }
}

impl<R, T> RetryPolicy<Exponential, R, T> {
    /// Sets the delay before the first retry.
    ///
    /// A longest delay that is shorter holds for this one, too.
    pub const fn base_delay(mut self, base_delay: Duration) -> Self {
        self.backoff = self.backoff.base_delay(base_delay);
        self
    }

    /// Sets the longest delay, before jitter.
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.backoff = self.backoff.max_delay(max_delay);
        self
    }

    /// Sets the factor by which the delay grows; what is below 1, or no number, is taken as 1.
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
            /// Returns the policy, or the error in its settings; see [`Exponential::check`].
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

/// Prints the rule by the name of its type, since functions and closures print nothing themselves.
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
