use std::time::Duration;

use crate::failure::{
    Failure, GiveUpReason,
    aborted::Aborted,
    classify::{Classify, Disposition},
    cost::Cost,
};

/// What a [`Rule`](crate::policy::Rule) knows about a failure beyond yes and no; for budgets, breakers, delays and
/// telemetry.
///
/// A rule that knows nothing more, such as a closure, returns the default: a transient failure without a class.
/// [`Classified`](crate::policy::Classified) asks the error instead.
///
/// ```
/// use retry_runtime::{budget::Cost, failure::FailureInfo};
/// use std::time::Duration;
///
/// // The server is busy, and asked to be left alone for 2 s.
/// let info = FailureInfo::default().cost(Cost::Throttling).retry_after(Duration::from_secs(2));
/// # let _ = info;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FailureInfo {
    pub(crate) disposition: Option<Disposition>,
    pub(crate) class: &'static str,
    pub(crate) cost: Cost,
    pub(crate) retry_after: Option<Duration>,
    // Only in a `RetryDelay`, and here because there is room: the budgets that do not pay, because their members did not
    // ask for the retry; one bit each, in the order of the guards.
    pub(crate) spared: u32,
}

impl FailureInfo {
    /// Nothing is known: a transient failure.
    pub const NONE: Self =
        Self { disposition: None, class: "", cost: Cost::Transient, retry_after: None, spared: 0 };

    /// Sets what the error proves about the attempt.
    pub const fn disposition(self, disposition: Disposition) -> Self {
        Self { disposition: Some(disposition), ..self }
    }

    /// Sets the class of the error for telemetry, such as `TIMEOUT`; use few different ones.
    pub const fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    /// Sets what a retry costs a [`Budget`](crate::overload::Budget).
    pub const fn cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// Sets how long the server asks to be left alone; see
    /// [`Classify::retry_after`](crate::failure::classify::Classify::retry_after).
    pub const fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// Returns what the error's own classification says.
    pub(crate) fn of<E: Classify>(failure: &Failure<'_, E>) -> Self {
        let info = Self::NONE.disposition(failure.disposition());
        match failure.error() {
            Some(error) => Self {
                class: error.class(),
                cost: error.cost(),
                retry_after: error.retry_after(),
                ..info
            },
            None => info,
        }
    }

    /// Returns why a failure that the rule does not allow is not retried.
    pub(crate) fn refusal(&self) -> GiveUpReason {
        match self.disposition {
            Some(Disposition::Unknown) => GiveUpReason::NotIdempotent,
            _ => GiveUpReason::NotRetryable,
        }
    }

    /// Gives a failure without a class one that describes it.
    pub(crate) fn classed(self, aborted: Option<Aborted>, polls: bool) -> Self {
        let class = match aborted {
            _ if !self.class.is_empty() => self.class,
            Some(aborted) => aborted.reason().as_str(),
            None if polls => "pending",
            None => "unclassified",
        };
        Self { class, ..self }
    }

    /// Joins what two members of a composite know.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            disposition: self.disposition.or(other.disposition),
            class: if self.class.is_empty() { other.class } else { self.class },
            cost: self.cost.max(other.cost),
            retry_after: self.retry_after.max(other.retry_after),
            spared: 0,
        }
    }
}

/// What a [`CircuitBreaker`](crate::CircuitBreaker) knows about a failed attempt, whatever the policy decides.
///
/// ```
/// use retry_runtime::CircuitBreaker;
///
/// // For this server, only timeouts are a sign of trouble.
/// let breaker = CircuitBreaker::builder().counts(|failure| failure.class() == "TIMEOUT").build()?;
/// # drop(breaker);
/// # Ok::<(), retry_runtime::policy::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FailureReport(pub(crate) FailureInfo);

impl FailureReport {
    /// Returns what the error proves about the attempt, `None` if it is not classified.
    pub fn disposition(&self) -> Option<Disposition> {
        self.0.disposition
    }

    /// Returns the class of the error, empty if it has none.
    pub fn class(&self) -> &'static str {
        self.0.class
    }

    /// Returns what a retry costs a budget.
    pub fn cost(&self) -> Cost {
        self.0.cost
    }
}

impl Default for FailureInfo {
    fn default() -> Self {
        Self::NONE
    }
}
