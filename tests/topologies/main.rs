//! Pools, clusters and sentinels whose members fail under load.
#![allow(missing_docs)]

mod cluster;
mod cluster_faults;
mod pool;
#[cfg(feature = "replicas")]
mod replicas;
mod sentinel;
mod soak;
