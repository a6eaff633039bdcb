use std::io;

use retry_runtime::retryable;

struct Service(u32);

impl Service {
    #[retryable]
    async fn push(mut self) -> io::Result<u32> {
        self.0 += 1;
        Ok(self.0)
    }
}

fn main() {
    let _ = Service::push;
}
