//! What the tests share.

mod alone;
mod bench;
mod events;
mod load;
mod redis_cluster;
mod redis_sentinel;
mod redis_server;
mod relay;
mod resp;
pub mod scenarios;

pub use alone::{is_alone, run_alone};
pub use bench::{Bench, BenchBuilder, ClientPolicy};
pub use events::Events;
pub use load::{Load, Tally};
pub use redis_cluster::RedisCluster;
pub use redis_sentinel::RedisSentinel;
pub use redis_server::RedisServer;
pub use relay::Relay;
pub use retry_runtime::testing::{Fault, FaultProxy};

/// Returns fred's configuration for the server on a port of this machine.
pub fn redis(port: u16) -> fred::types::config::Config {
    fred::types::config::Config {
        server: fred::types::config::ServerConfig::new_centralized("127.0.0.1", port),
        ..Default::default()
    }
}
