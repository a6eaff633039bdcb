use std::{borrow::Cow, fmt};

use super::{
    budget_builder::BudgetBuilder,
    sync::{Arc, AtomicU32, AtomicU64, Ordering},
    tell,
};
use crate::failure::cost::Cost;

/// Bounds the retries of many calls together: a bucket of tokens that retries take and successes refill.
///
/// A few failures are retried at once; when most calls fail, retries stop, and a server that is overloaded gets the
/// load of first attempts and no more.
/// Share one budget between all calls to one node by cloning it; clones are the same bucket.
///
/// | event | tokens |
/// | --- | --- |
/// | start | 500, the capacity |
/// | retry after a transient failure | -14 |
/// | retry after a throttled attempt | -5 |
/// | retry of an attempt that was never sent | 0 |
/// | success on the first attempt | +1 |
/// | success on a retry | what that retry cost |
///
/// The numbers are those of the AWS SDKs of 2026 (smithy-rs, `client/retries/token_bucket.rs`).
/// Where every call fails, a full budget allows 35 retries, then none until something succeeds.
///
/// ```
/// use retry_runtime::{Budget, budget::Cost};
///
/// let budget = Budget::new();
/// let permit = budget.withdraw(Cost::Transient)?; // before the wait; dropped during it, it gives the tokens back
/// let charge = permit.start(); // the retry begins
/// assert_eq!(budget.level(), 486);
/// budget.refund(charge); // the retry succeeded
/// assert_eq!(budget.level(), 500);
/// # Ok::<(), retry_runtime::budget::BudgetEmpty>(())
/// ```
///
/// The count is exact, whatever the number of threads: it is never below zero, never above the capacity.
/// No operation takes a lock; a success while the budget is full only reads.
#[derive(Clone)]
pub struct Budget(Arc<Bucket>);

struct Bucket {
    name: Cow<'static, str>,
    level: AtomicU32,
    settings: BudgetBuilder,
    withdrawn: AtomicU64,
    refused: AtomicU64,
    refunded: AtomicU64,
}

impl Budget {
    /// Makes a full budget with the defaults.
    pub fn new() -> Self {
        Self::with(Cow::Borrowed(BudgetBuilder::UNNAMED), BudgetBuilder::DEFAULT)
    }

    /// Starts from the defaults, to change some.
    pub const fn builder() -> BudgetBuilder {
        BudgetBuilder::DEFAULT
    }

    pub(super) fn with(name: Cow<'static, str>, settings: BudgetBuilder) -> Self {
        let bucket = Bucket {
            name,
            level: AtomicU32::new(settings.capacity),
            settings,
            withdrawn: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refunded: AtomicU64::new(0),
        };
        bucket.tell();
        Self(Arc::new(bucket))
    }

    /// Returns the name that telemetry shows the budget under.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Takes the tokens for one retry, before the wait that precedes it.
    ///
    /// Dropping the permit gives them back; [`Permit::start`] says that the retry begins.
    /// [`Cost::Free`] is always allowed.
    ///
    /// # Errors
    ///
    /// Returns [`BudgetEmpty`], and takes nothing, if fewer tokens are left than the retry costs.
    pub fn withdraw(&self, cost: Cost) -> Result<Permit, BudgetEmpty> {
        let tokens = match cost {
            Cost::Free => return Ok(Permit { budget: None, tokens: 0 }),
            Cost::Throttling => self.0.settings.throttling_cost,
            Cost::Transient => self.0.settings.transient_cost,
        };
        match self.0.update(|level| level.checked_sub(tokens)) {
            Ok(_) => {
                self.0.withdrawn.fetch_add(1, Ordering::Relaxed);
                Ok(Permit { budget: Some(self.clone()), tokens })
            }
            Err(level) => {
                self.0.refused.fetch_add(1, Ordering::Relaxed);
                Err(BudgetEmpty { needed: tokens, level })
            }
        }
    }

    /// Counts a success on the first attempt.
    pub fn succeeded(&self) {
        // Nearly always full: then the line of memory stays shared between the cores.
        if self.0.level.load(Ordering::Relaxed) < self.0.settings.capacity {
            self.0.add(self.0.settings.success_refund);
        }
    }

    /// Counts a success on a retry, given the charge of that retry: its tokens come back.
    ///
    /// The charges of failed retries are dropped.
    /// A retry that was free counts as a first attempt.
    pub fn refund(&self, Charge { tokens }: Charge) {
        match tokens {
            0 => self.succeeded(),
            tokens => self.0.give_back(tokens),
        }
    }

    /// Returns the tokens left.
    pub fn level(&self) -> u32 {
        self.0.level.load(Ordering::Relaxed)
    }

    /// Returns the most tokens that the budget holds.
    pub fn capacity(&self) -> u32 {
        self.0.settings.capacity
    }

    /// Returns the level and what happened so far, for telemetry.
    ///
    /// The numbers are read one after the other, so calls that run meanwhile may be in one and not yet in another.
    pub fn statistics(&self) -> BudgetStatistics {
        BudgetStatistics {
            level: self.level(),
            capacity: self.capacity(),
            withdrawn: self.0.withdrawn.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
            refunded: self.0.refunded.load(Ordering::Relaxed),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the name, if it has one, the level and the capacity.
impl fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, capacity) = (self.level(), self.capacity());
        let mut tuple = formatter.debug_tuple("Budget");
        if self.name() != BudgetBuilder::UNNAMED {
            tuple.field(&self.name());
        }
        tuple.field(&format_args!("{level}/{capacity}")).finish()
    }
}

impl Bucket {
    // The level is the only shared fact and guards no other memory, so no ordering is needed beyond its own.
    fn update(&self, change: impl FnMut(u32) -> Option<u32>) -> Result<u32, u32> {
        let updated = self.level.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        if updated.is_ok() {
            self.tell();
        }
        updated
    }

    /// Tells the level, after each change.
    fn tell(&self) {
        tell::level(|| self.name.clone(), || self.level.load(Ordering::Relaxed));
    }

    fn add(&self, tokens: u32) {
        let capacity = self.settings.capacity;
        // An error says that it is full already.
        let _ = self
            .update(|level| (level < capacity).then(|| level.saturating_add(tokens).min(capacity)));
    }

    fn give_back(&self, tokens: u32) {
        self.add(tokens);
        self.refunded.fetch_add(1, Ordering::Relaxed);
    }
}

/// The tokens of a retry that has not begun; dropped, it gives them back.
///
/// So a call that is cancelled while it waits costs nothing.
/// One that is cancelled while the retry runs has paid: its request may be at work in the server, and callers that
/// always give up first must not retry for free.
/// Such tokens are not lost: first successes refill the budget to its capacity.
#[derive(Debug)]
#[must_use = "a dropped permit gives its tokens back"]
pub struct Permit {
    // Owned, not borrowed: the state of a call outlives every borrow of its policy. Costs one count per retry.
    budget: Option<Budget>,
    tokens: u32,
}

impl Permit {
    /// Begins the retry: from now on the tokens come back only with its success.
    pub fn start(mut self) -> Charge {
        self.budget = None;
        Charge { tokens: self.tokens }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.0.give_back(self.tokens);
        }
    }
}

/// What a retry under way has cost; [`Budget::refund`] takes it if the retry succeeds.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the tokens of a retry that succeeded belong back in the budget"]
pub struct Charge {
    tokens: u32,
}

/// The budget has fewer tokens than the retry costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BudgetEmpty {
    /// The tokens that the retry costs.
    pub needed: u32,
    /// The tokens that were left.
    pub level: u32,
}

impl fmt::Display for BudgetEmpty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, level } = self;
        write!(formatter, "the retry budget has {level} tokens left, a retry costs {needed}")
    }
}

impl std::error::Error for BudgetEmpty {}

/// The state of a [`Budget`] at one moment, and counts since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BudgetStatistics {
    /// The tokens left.
    pub level: u32,
    /// The most tokens.
    pub capacity: u32,
    /// The retries that took tokens.
    pub withdrawn: u64,
    /// The retries that were refused.
    pub refused: u64,
    /// The retries whose tokens came back, because they succeeded or were cancelled before they began.
    pub refunded: u64,
}
