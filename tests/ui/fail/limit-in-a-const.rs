use std::time::Duration;

use retry_runtime::{Exponential, RetryPolicy};

const LOOKUP: RetryPolicy<Exponential> = RetryPolicy::exponential().deadline(Duration::from_secs(1));

fn main() {
    let _ = LOOKUP;
}
