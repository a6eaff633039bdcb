use std::borrow::Cow;

use super::budget::Budget;
use crate::config_error::ConfigError;

/// The settings of a [`Budget`]; created by [`Budget::builder`].
///
/// ```
/// use retry_runtime::Budget;
///
/// // A small node: half the retries of the default.
/// let budget = Budget::builder().name("catalog").capacity(250).build()?;
/// assert_eq!(budget.level(), 250);
///
/// let error = Budget::builder().capacity(10).build().unwrap_err();
/// assert_eq!(error.to_string(), "`transient_cost` must be between 1 and 10, found 14");
/// # Ok::<(), retry_runtime::policy::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "settings make no budget until `build` is called"]
pub struct BudgetBuilder {
    pub(crate) name: &'static str,
    pub(super) capacity: u32,
    pub(super) transient_cost: u32,
    pub(super) throttling_cost: u32,
    pub(super) success_refund: u32,
}

impl BudgetBuilder {
    // The retry quota of the AWS SDKs of 2026: smithy-rs, `client/retries/token_bucket.rs`.
    pub(super) const DEFAULT: Self = Self {
        name: Self::UNNAMED,
        capacity: 500,
        transient_cost: 14,
        throttling_cost: 5,
        success_refund: 1,
    };
    pub(crate) const UNNAMED: &'static str = "unnamed";

    /// Sets the budget's name in telemetry; `unnamed` unless set.
    ///
    /// The name becomes a label of metrics, so use few different names.
    /// Budgets of one name share a series, which shows the budget that changed last.
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sets the largest number of tokens, with which the budget also starts; 500 unless set.
    pub const fn capacity(self, tokens: u32) -> Self {
        Self { capacity: tokens, ..self }
    }

    /// Sets the price of a retry after a transient failure, in tokens; 14 unless set.
    /// See [`Cost::Transient`](crate::overload::Cost).
    pub const fn transient_cost(self, tokens: u32) -> Self {
        Self { transient_cost: tokens, ..self }
    }

    /// Sets the price of a retry after a throttled attempt, in tokens; 5 unless set.
    /// See [`Cost::Throttling`](crate::overload::Cost).
    pub const fn throttling_cost(self, tokens: u32) -> Self {
        Self { throttling_cost: tokens, ..self }
    }

    /// Sets how many tokens a success on the first attempt adds; 1 unless set.
    pub const fn success_refund(self, tokens: u32) -> Self {
        Self { success_refund: tokens, ..self }
    }

    /// Builds a full budget.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::OutOfRange`] for a setting that is zero or above the capacity.
    /// Nothing would limit a retry at no cost, one above the capacity could never be made, and a budget that successes do
    /// not refill would stay empty.
    pub fn build(self) -> Result<Budget, ConfigError> {
        self.build_as(Cow::Borrowed(self.name))
    }

    /// Builds a full budget with another name.
    pub(crate) fn build_as(self, name: Cow<'static, str>) -> Result<Budget, ConfigError> {
        for (setting, found, most) in [
            ("capacity", self.capacity, u32::MAX),
            ("transient_cost", self.transient_cost, self.capacity),
            ("throttling_cost", self.throttling_cost, self.capacity),
            ("success_refund", self.success_refund, self.capacity),
        ] {
            if !(1..=most).contains(&found) {
                return Err(ConfigError::OutOfRange { setting, found, most });
            }
        }
        Ok(Budget::with(name, self))
    }
}
