use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use crate::{
    Advice, Backoff, ConfigError, Constant, Exponential, Failure, Guards, Jitter, Limits, Random,
    Reason, Rule, Timing, Untimed, Wait,
};

/// The part of a policy that does not depend on the error: what a call remembers, and its time limits.
///
/// A policy is plain data; the memory of a call lives in its [`Session`](crate::Session).
/// Most own needs are met by a [`Backoff`]; implement `Policy` and [`Decide`] for full control:
///
/// ```
/// use retry_runtime::{Decide, Decision, Failure, Policy, Random, Reason, Untimed};
/// use std::time::Duration;
///
/// /// Retries as long as the attempt number is below a limit, at once.
/// #[derive(Debug, Clone, Copy)]
/// struct Stubborn(u32);
///
/// impl Policy for Stubborn {
///     type State = ();
///     type Timing = Untimed;
/// }
///
/// impl<E, R> Decide<E, R> for Stubborn {
///     fn decide(&self, failure: &Failure<'_, E>, _: &R, _: &mut (), _: &mut Random) -> Decision {
///         if failure.attempt() < self.0 {
///             Decision::retry_after(Duration::ZERO)
///         } else {
///             Decision::stop(Reason::RetriesExhausted)
///         }
///     }
/// }
/// # let _ = Stubborn(3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a retry policy",
    label = "expected a retry policy",
    note = "write `constant(…)`, `exponential(…)`, `composite(…)`, `never()`, or an expression of a type that implements `retry_runtime::Policy`"
)]
pub trait Policy {
    /// What one call remembers between its failures.
    type State: Default;
    /// What a call needs besides: [`Untimed`] for a policy that only decides, as most do.
    type Timing: Timing;

    /// Returns the time limits of a call, none unless overridden.
    ///
    /// Read once, when the call starts, and only if [`Self::Timing`] is [`Timed`](crate::Timed).
    fn limits(&self) -> Limits {
        Limits::NONE
    }

    /// Returns what else watches over a call, nothing unless overridden.
    ///
    /// Read when the call starts, and only if [`Self::Timing`] is [`WithGuards`](crate::WithGuards).
    fn guards(&self) -> Guards {
        Guards::default()
    }

    /// Returns the guards of a policy that is used for one call: nothing is shared once more.
    #[doc(hidden)]
    fn into_guards(self) -> Guards
    where
        Self: Sized,
    {
        self.guards()
    }

    /// Returns how many budgets are among the guards.
    #[doc(hidden)]
    fn budgets(&self) -> u32 {
        self.guards().budgets()
    }

    /// Returns how many attempts a call makes at most, or `None` if that is not bounded or not known.
    ///
    /// Asked only when a call retries, to tell what it multiplies inside another.
    fn attempts(&self) -> Option<u32> {
        None
    }
}

/// Decides after every failure whether, and after what wait, another attempt follows.
///
/// `R` is the [`Rule`] of the call, to be asked by policies that name no errors themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot decide about errors of type `{E}`",
    label = "not a retry policy for `{E}`"
)]
pub trait Decide<E, R>: Policy {
    /// Decides about one failure and counts it in `state`.
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut Self::State,
        random: &mut Random,
    ) -> Decision;
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Another attempt, after a pause.
    Retry(Pause),
    /// No other attempt.
    Stop(Stop),
}

impl Decision {
    /// Returns the decision to try again after `delay`.
    pub fn retry_after(delay: Duration) -> Self {
        Self::Retry(Pause { delay, start_before: None, advice: Advice::NONE })
    }

    /// Returns the decision to end the call.
    pub fn stop(reason: Reason) -> Self {
        Self::Stop(Stop { reason, advice: Advice::NONE })
    }
}

/// The end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub(crate) reason: Reason,
    pub(crate) advice: Advice,
}

impl Stop {
    /// Returns why no attempt follows.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// The wait before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    pub(crate) delay: Duration,
    // Since the start of the call. Kept beside the delay because a hook may take longer than the deadline leaves.
    pub(crate) start_before: Option<Duration>,
    pub(crate) advice: Advice,
}

impl Pause {
    /// Returns how long to wait; zero still lets other tasks have their turn.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Ends the call instead.
    pub(crate) fn stop(&self, reason: Reason) -> Stop {
        Stop { reason, advice: self.advice }
    }

    /// Returns the time since the start of the call at which it is too late for the next attempt, if there is one.
    pub fn start_before(&self) -> Option<Duration> {
        self.start_before
    }
}

/// Retries a limited number of times, waiting as a [`Backoff`] says.
///
/// Two retries unless set otherwise, so up to three attempts.
///
/// ```
/// use retry_runtime::{Exponential, Limited, RetryPolicy};
/// use std::time::Duration;
///
/// // Checked by the compiler, shared by every function that names it.
/// const LOOKUP: Limited<RetryPolicy<Exponential>> = RetryPolicy::exponential()
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(5))
///     .retries(5)
///     .deadline(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryPolicy<B> {
    backoff: B,
    // `None` is without bound. Private: the builder spells it `unlimited`.
    retries: Option<u32>,
    hints: Hints,
}

/// What follows when a server asks to be left alone for longer than the policy would wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Hints {
    // How much longer: whole milliseconds are enough, and half of a `Duration`.
    longest: u64,
    beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Beyond {
    GiveUp,
    Cut,
}

impl Hints {
    /// That of the AWS SDKs of 2026.
    const DEFAULT: Self = Self { longest: 5_000, beyond: Beyond::GiveUp };

    #[cold]
    fn decide(self, delay: Duration, asked: Duration, advice: Advice) -> Decision {
        let longest = delay.saturating_add(Duration::from_millis(self.longest));
        match self.beyond {
            Beyond::GiveUp if asked > longest => {
                Decision::Stop(Stop { reason: Reason::RetryAfter, advice })
            }
            _ => {
                let delay = asked.min(longest).max(delay);
                Decision::Retry(Pause { delay, start_before: None, advice })
            }
        }
    }
}

impl<B> RetryPolicy<B> {
    const DEFAULT_RETRIES: u32 = 2;

    /// Retries twice, waiting as `backoff` says.
    pub const fn new(backoff: B) -> Self {
        Self { backoff, retries: Some(Self::DEFAULT_RETRIES), hints: Hints::DEFAULT }
    }

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
    /// A server that asks for more ends the call at once, with [`Reason::RetryAfter`]: an earlier attempt would be in
    /// vain, and hold up the caller.
    /// How long a server asks to be left alone is said by [`Classify::retry_after`](crate::Classify::retry_after).
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
    pub const fn cut_hints(mut self) -> Self {
        self.hints.beyond = Beyond::Cut;
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

impl RetryPolicy<Constant> {
    /// Retries twice after `delay` each, without jitter.
    pub const fn constant(delay: Duration) -> Self {
        Self::new(Constant::new(delay))
    }

    /// Randomises the delay; see [`Constant::jitter`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.backoff = self.backoff.jitter(jitter);
        self
    }

    /// Returns the policy, or the error in its settings; see [`Exponential::check`].
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::JitterNeedsGrowth`] for jitter that does nothing to a constant delay.
    pub const fn check(self) -> Result<Self, ConfigError> {
        match self.backoff.check() {
            Ok(_) => Ok(self),
            Err(error) => Err(error),
        }
    }
}

impl RetryPolicy<Exponential> {
    /// Retries twice with the delays of [`Exponential::new`].
    pub const fn exponential() -> Self {
        Self::new(Exponential::new())
    }

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

    /// Returns the policy, or the error in its settings; see [`Exponential::check`].
    ///
    /// # Errors
    ///
    /// Returns the [`ConfigError`] with the impossible value.
    pub const fn check(self) -> Result<Self, ConfigError> {
        match self.backoff.check() {
            Ok(_) => Ok(self),
            Err(error) => Err(error),
        }
    }
}

impl Default for RetryPolicy<Exponential> {
    fn default() -> Self {
        Self::exponential()
    }
}

impl<B: Backoff> Policy for RetryPolicy<B> {
    type State = Progress;
    type Timing = Untimed;

    fn budgets(&self) -> u32 {
        0
    }

    fn attempts(&self) -> Option<u32> {
        self.retries.map(|retries| retries.saturating_add(1))
    }
}

impl<B, E, R> Decide<E, R> for RetryPolicy<B>
where
    B: Backoff,
    R: Rule<E>,
{
    #[inline]
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut Progress,
        random: &mut Random,
    ) -> Decision {
        let advice = rule.advice(failure);
        if !rule.allows(failure) {
            return Decision::Stop(Stop { reason: advice.refusal(), advice });
        }
        if self.retries.is_some_and(|retries| state.retries >= retries) {
            return Decision::Stop(Stop { reason: Reason::RetriesExhausted, advice });
        }
        let previous = state.previous();
        state.retries = state.retries.saturating_add(1);
        let delay = self.backoff.delay(&mut Wait::new(state.retries, previous, random));
        state.set_previous(delay);
        if let Some(asked) = advice.retry_after {
            return self.hints.decide(delay, asked, advice);
        }
        Decision::Retry(Pause { delay, start_before: None, advice })
    }
}

/// What one call remembers about a [`RetryPolicy`]: the retries it was granted, and its last wait.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    retries: u32,
    // Nanoseconds in half the size of a `Duration`, without its alignment, because every waiting call holds it;
    // saturates after 584 years.
    previous: [u8; 8],
}

impl Progress {
    fn previous(self) -> Option<Duration> {
        (self.retries > 0).then(|| Duration::from_nanos(u64::from_ne_bytes(self.previous)))
    }

    fn set_previous(&mut self, delay: Duration) {
        self.previous = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX).to_ne_bytes();
    }
}

/// Never retries.
///
/// The value to put where a policy is expected and none is wanted, such as in a test or behind a switch.
/// It does not look at errors, so a circuit breaker counts each of them; with `retries(0)` or
/// `on(ByDisposition::default())` permanent ones do not count.
///
/// ```
/// use retry_runtime::Never;
///
/// const OFF: Never = Never;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Never;

impl Policy for Never {
    type State = ();
    type Timing = Untimed;

    fn budgets(&self) -> u32 {
        0
    }

    fn attempts(&self) -> Option<u32> {
        Some(1)
    }
}

impl<E, R> Decide<E, R> for Never {
    fn decide(&self, _: &Failure<'_, E>, _: &R, (): &mut (), _: &mut Random) -> Decision {
        Decision::stop(Reason::NotRetryable)
    }
}

impl<P: Policy + ?Sized> Policy for &P {
    type State = P::State;
    type Timing = P::Timing;

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn guards(&self) -> Guards {
        (**self).guards()
    }

    fn budgets(&self) -> u32 {
        (**self).budgets()
    }

    fn attempts(&self) -> Option<u32> {
        (**self).attempts()
    }
}

impl<P: Decide<E, R> + ?Sized, E, R> Decide<E, R> for &P {
    #[inline]
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        (**self).decide(failure, rule, state, random)
    }
}

impl<P: Policy + ?Sized> Policy for Arc<P> {
    type State = P::State;
    type Timing = P::Timing;

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn guards(&self) -> Guards {
        (**self).guards()
    }

    fn budgets(&self) -> u32 {
        (**self).budgets()
    }

    fn attempts(&self) -> Option<u32> {
        (**self).attempts()
    }
}

impl<P: Decide<E, R> + ?Sized, E, R> Decide<E, R> for Arc<P> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        (**self).decide(failure, rule, state, random)
    }
}

/// A policy in a `static` that is made when it is first used.
impl<P: Policy, F: FnOnce() -> P> Policy for LazyLock<P, F> {
    type State = P::State;
    type Timing = P::Timing;

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn guards(&self) -> Guards {
        (**self).guards()
    }

    fn budgets(&self) -> u32 {
        (**self).budgets()
    }

    fn attempts(&self) -> Option<u32> {
        (**self).attempts()
    }
}

impl<P: Decide<E, R>, E, R, F: FnOnce() -> P> Decide<E, R> for LazyLock<P, F> {
    fn decide(
        &self,
        failure: &Failure<'_, E>,
        rule: &R,
        state: &mut P::State,
        random: &mut Random,
    ) -> Decision {
        (**self).decide(failure, rule, state, random)
    }
}
