//! Prints how large the futures of tryhard are.

use std::time::Duration;

use retry_benches::{sizes, sizes::work};

const DELAY: Duration = Duration::from_millis(10);

fn main() {
    let (form, sizes) = sizes!("tryhard", N => {
        tryhard::retry_fn(|| work::<N>(&1)).retries(3).exponential_backoff(DELAY).into_future()
    });
    println!("{form}\t{}\t{}\t{}", sizes[0], sizes[1], sizes[2]);
}
