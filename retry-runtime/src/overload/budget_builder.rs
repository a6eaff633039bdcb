use std::borrow::Cow;

use super::budget::Budget;
use crate::config_error::ConfigError;

/// The settings of a [`Budget`]; made by [`Budget::builder`].
///
/// ```
/// use retry_runtime::Budget;
///
/// // Half the retries of the default for one small node.
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

    /// Sets the name that telemetry shows the budget under, `unnamed` unless set.
    ///
    /// One of few: it becomes a label of metrics.
    /// Budgets of one name share a series, which shows the one that changed last.
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sets the most tokens that the budget holds, and starts with.
    pub const fn capacity(self, tokens: u32) -> Self {
        Self { capacity: tokens, ..self }
    }

    /// Sets the tokens that a retry after a transient failure costs; see [`Cost::Transient`](crate::overload::Cost).
    pub const fn transient_cost(self, tokens: u32) -> Self {
        Self { transient_cost: tokens, ..self }
    }

    /// Sets the tokens that a retry after a throttled attempt costs; see [`Cost::Throttling`](crate::overload::Cost).
    pub const fn throttling_cost(self, tokens: u32) -> Self {
        Self { throttling_cost: tokens, ..self }
    }

    /// Sets the tokens that a success on the first attempt brings.
    pub const fn success_refund(self, tokens: u32) -> Self {
        Self { success_refund: tokens, ..self }
    }

    /// Makes a full budget.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::OutOfRange`] for a setting that is zero or above the capacity.
    /// A retry at no cost would be bounded by nothing, one above the capacity could never be made, and a budget that
    /// successes do not refill would be used up for good.
    pub fn build(self) -> Result<Budget, ConfigError> {
        self.build_as(Cow::Borrowed(self.name))
    }

    /// Makes a full budget of another name.
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
