use std::{borrow::Cow, fmt};

use super::{
    budget_builder::BudgetBuilder,
    sync::{Arc, AtomicU32, AtomicU64, Ordering},
    tell,
};
use crate::failure::cost::Cost;

/// Limits the retries of many calls together: a bucket of tokens that retries take and successes refill.
///
/// While few calls fail, they are retried; when most calls fail, the retries stop, and an overloaded server gets only
/// the load of first attempts.
/// Share one budget among all calls to a node by cloning it; clones share the bucket.
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
/// If every call fails, a full budget allows 35 retries, and then none until a call succeeds.
///
/// [`Budget::builder`] changes these defaults:
///
/// | setting | default |
/// | --- | --- |
/// | [`name`](BudgetBuilder::name) | `unnamed` |
/// | [`capacity`](BudgetBuilder::capacity) | 500 |
/// | [`transient_cost`](BudgetBuilder::transient_cost) | 14 |
/// | [`throttling_cost`](BudgetBuilder::throttling_cost) | 5 |
/// | [`success_refund`](BudgetBuilder::success_refund) | 1 |
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
/// The count is exact with any number of threads: never below zero, never above the capacity.
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
    /// Creates a full budget with the defaults.
    pub fn new() -> Self {
        Self::with(Cow::Borrowed(BudgetBuilder::UNNAMED), BudgetBuilder::DEFAULT)
    }

    /// Returns a builder with the defaults.
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

    /// Returns the budget's name in telemetry.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Takes the tokens for one retry, before the wait that precedes it.
    ///
    /// Dropping the permit gives them back; call [`Permit::start`] when the retry begins.
    /// A retry of [`Cost::Free`] is always allowed.
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
        // The budget is nearly always full: without a write, the cache line stays shared between the cores.
        if self.0.level.load(Ordering::Relaxed) < self.0.settings.capacity {
            self.0.add(self.0.settings.success_refund);
        }
    }

    /// Counts a success on a retry, and puts the tokens of its charge back.
    ///
    /// Drop the charge of a retry that failed.
    /// A free retry counts as a first attempt.
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

    /// Returns the largest number of tokens.
    pub fn capacity(&self) -> u32 {
        self.0.settings.capacity
    }

    /// Returns the level and the counts so far, for telemetry.
    ///
    /// The numbers are read one after the other, so a concurrent call can be in one and not yet in another.
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
    // The level guards no other memory, so no ordering is needed beyond its own.
    fn update(&self, change: impl FnMut(u32) -> Option<u32>) -> Result<u32, u32> {
        let updated = self.level.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        if updated.is_ok() {
            self.tell();
        }
        updated
    }

    /// Publishes the level, after each change.
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
/// A call that is cancelled while it waits therefore costs nothing.
/// One that is cancelled during the retry has paid: the server may still be working on its request, and callers that
/// always give up first must not retry for free.
/// Those tokens come back with later successes, which refill the budget to its capacity.
#[derive(Debug)]
#[must_use = "a dropped permit gives its tokens back"]
pub struct Permit {
    // Owned, not borrowed: the state of a call outlives every borrow of its policy. Costs one count per retry.
    budget: Option<Budget>,
    tokens: u32,
}

impl Permit {
    /// Begins the retry: from now on only its success brings the tokens back.
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

/// The price of a running retry; pass it to [`Budget::refund`] if the retry succeeds.
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

/// The level of a [`Budget`] at one moment, and its counts since it was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BudgetStatistics {
    /// The tokens left.
    pub level: u32,
    /// The largest number of tokens.
    pub capacity: u32,
    /// The retries that took tokens.
    pub withdrawn: u64,
    /// The retries that were refused.
    pub refused: u64,
    /// The retries that got their tokens back, because they succeeded or were cancelled before they began.
    pub refunded: u64,
}
