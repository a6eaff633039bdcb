use retry_runtime::{
    policy::{ByDisposition, Decide},
    retryable,
};
use std::io;

struct Service<P> {
    policy: P,
}

impl<P: Decide<io::Error, ByDisposition>> Service<P> {
    #[retryable(policy = self.policy)]
    async fn call(&self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
