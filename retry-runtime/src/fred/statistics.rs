//! What became of the commands of a client that failed.

use std::sync::atomic::{AtomicU64, Ordering};

use ::fred::types::config::Server;

use crate::{failure::GiveUpReason, overload::BudgetStatistics};

/// What became of the commands of a client that failed at their first attempt, since it was made.
///
/// Those that succeed at once are not counted: that would cost each of them.
/// The numbers are read one after the other, so a command that ends meanwhile may be in one and not yet in another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// The commands whose first attempt failed.
    pub failed_once: u64,
    /// The retries.
    pub retries: u64,
    /// The commands that succeeded after a retry.
    pub recovered: u64,
    /// The commands that failed for good.
    pub failed: u64,
    /// Those of them that failed because the budget was empty.
    pub refused_by_budget: u64,
    /// The budgets that the client pays from: those of its policy, or else its own, by node on a cluster.
    pub budgets: Vec<(Option<Server>, BudgetStatistics)>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    failed_once: AtomicU64,
    retries: AtomicU64,
    recovered: AtomicU64,
    failed: AtomicU64,
    refused_by_budget: AtomicU64,
}

impl Counters {
    pub(super) fn failed_once(&self) {
        self.failed_once.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn recovered(&self) {
        self.recovered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, reason: GiveUpReason) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if reason == GiveUpReason::Budget {
            self.refused_by_budget.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self, budgets: Vec<(Option<Server>, BudgetStatistics)>) -> Statistics {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Statistics {
            failed_once: read(&self.failed_once),
            retries: read(&self.retries),
            recovered: read(&self.recovered),
            failed: read(&self.failed),
            refused_by_budget: read(&self.refused_by_budget),
            budgets,
        }
    }
}
