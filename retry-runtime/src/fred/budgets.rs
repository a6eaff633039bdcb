//! A retry budget for each node.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ::fred::types::config::{Server, ServerConfig};

use crate::{
    config_error::ConfigError,
    overload::{Budget, BudgetBuilder, BudgetStatistics},
};

/// The retry budgets of a client: one for each node, so that a node that is down uses up the retries of no other.
///
/// A client has them unless its policy brings a [`Budget`]; [`with_budgets`](super::Commands::with_budgets) changes
/// them.
/// On a cluster the owner of a command's first key pays; a command without key, and a server that is no cluster, has
/// one budget for all.
pub(super) struct Budgets {
    settings: BudgetBuilder,
    /// What the names of the budgets begin with, given by the user.
    prefix: Option<&'static str>,
    shared: Budget,
    /// A cluster has few primaries; those beyond share one.
    nodes: [OnceLock<(Server, Budget)>; 64],
    /// Whether a budget may not be full: as long as all are, a success has nothing to pay back.
    drained: AtomicBool,
}

impl Budgets {
    /// Makes the budgets of a client: named as the settings say, those of nodes with the address behind it, or else by
    /// the addresses alone.
    pub(super) fn new(settings: BudgetBuilder, config: &ServerConfig) -> Result<Self, ConfigError> {
        let prefix = Some(settings.name).filter(|name| *name != BudgetBuilder::UNNAMED);
        let name = prefix.map_or_else(|| Cow::Owned(place(config)), Cow::Borrowed);
        Ok(Self {
            settings,
            prefix,
            shared: settings.build_as(name)?,
            nodes: [const { OnceLock::new() }; 64],
            drained: AtomicBool::new(false),
        })
    }

    /// Returns the budget that pays for the retries of a command that failed on a node.
    pub(super) fn of(&self, node: Option<&Server>) -> Budget {
        self.find(node).clone()
    }

    /// Notes that a retry was paid.
    pub(super) fn drained(&self) {
        self.drained.store(true, Ordering::Relaxed);
    }

    /// Pays a success back, if there is anything to be paid back.
    #[inline]
    pub(super) fn succeeded(&self, node: impl FnOnce() -> Option<Server>) {
        if self.drained.load(Ordering::Relaxed) {
            self.pay_back(node().as_ref());
        }
    }

    #[cold]
    fn pay_back(&self, node: Option<&Server>) {
        self.find(node).succeeded();
        if self.all().all(|budget| budget.level() == budget.capacity()) {
            self.drained.store(false, Ordering::Relaxed);
            // Taken from in between: the order of the two stores is not known, so look again.
            if self.all().any(|budget| budget.level() < budget.capacity()) {
                self.drained.store(true, Ordering::Relaxed);
            }
        }
    }

    fn find(&self, node: Option<&Server>) -> &Budget {
        let Some(node) = node else { return &self.shared };
        for slot in &self.nodes {
            let (server, budget) = slot.get_or_init(|| {
                // The settings were good when the shared one was made.
                let name = match self.prefix {
                    Some(prefix) => format!("{prefix}@{node}"),
                    None => node.to_string(),
                };
                let budget = self.settings.build_as(name.into());
                let budget = budget.unwrap_or_else(|_| self.shared.clone());
                (node.clone(), budget)
            });
            if server == node {
                return budget;
            }
        }
        &self.shared
    }

    fn all(&self) -> impl Iterator<Item = &Budget> {
        let nodes = self.nodes.iter().filter_map(OnceLock::get).map(|(_, budget)| budget);
        std::iter::once(&self.shared).chain(nodes)
    }

    /// Returns the state of each, by node; that of the shared one has none.
    pub(super) fn statistics(&self) -> Vec<(Option<Server>, BudgetStatistics)> {
        let nodes = self.nodes.iter().filter_map(OnceLock::get);
        let nodes = nodes.map(|(server, budget)| (Some(server.clone()), budget.statistics()));
        std::iter::once((None, self.shared.statistics())).chain(nodes).collect()
    }
}

/// Names the servers of a client.
fn place(config: &ServerConfig) -> String {
    match config {
        ServerConfig::Sentinel { service_name, .. } => service_name.clone(),
        config => config.hosts().first().map_or_else(String::new, ToString::to_string),
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.all()).finish()
    }
}
