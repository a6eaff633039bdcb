use std::io;

use retry_runtime::retryable;

trait Push {
    #[retryable]
    async fn push(&self) -> io::Result<()>;
}

fn main() {
    fn push(p: &impl Push) {
        let _ = p.push();
    }
    let _ = push::<Never>;
}

struct Never;

impl Push for Never {
    async fn push(&self) -> io::Result<()> {
        Ok(())
    }
}
