//! Faults on the way to the server, against everything that can be sent; what counts is what the server executed.

mod bench;
mod faults;
mod single;
mod units;

use std::time::Duration;

const RETRIES: u32 = 3;
const ATTEMPT: Duration = Duration::from_millis(200);
const ALWAYS: u32 = u32::MAX;
/// Longer than all attempts and waits take.
const DEADLINE: Duration = Duration::from_secs(3);
