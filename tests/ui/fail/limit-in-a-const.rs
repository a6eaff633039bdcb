use std::time::Duration;

use retry_runtime::RetryPolicy;

const LOOKUP: RetryPolicy = RetryPolicy::exponential().deadline(Duration::from_secs(1));

fn main() {
    let _ = LOOKUP;
}
