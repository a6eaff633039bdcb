//! What the tests against a real server share.

mod fault_proxy;
mod redis_server;

pub use fault_proxy::{Fault, FaultProxy};
pub use redis_server::RedisServer;
