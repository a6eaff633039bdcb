use std::io;

use retry_runtime::retryable;

trait Push {
    #[retryable]
    async fn push(&self) -> io::Result<()>;
}

struct Service;

impl Push for Service {
    async fn push(&self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Service.push();
}
