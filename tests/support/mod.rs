//! What the tests against a real server share.

mod redis_server;

pub use redis_server::RedisServer;
pub use retry_runtime::testing::{Fault, FaultProxy};
