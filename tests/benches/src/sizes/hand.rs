use tokio::time::{Instant, sleep, timeout_at};

use super::{Sizes, work};
use crate::{form::SECOND, operation::Failed, sizes};

pub(super) fn all() -> Vec<Sizes> {
    vec![
        sizes!("the operation itself", N => work::<N>(&1)),
        sizes!("hand-written loop", N => retried::<N>(&1)),
        sizes!("hand-written loop, deadline aborts", N => with_deadline::<N>(&1)),
    ]
}

async fn retried<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    let mut retries = 0;
    loop {
        match work::<N>(seed).await {
            Err(error) if error.is_transient() && retries < 2 => retries += 1,
            outcome => return outcome,
        }
        sleep(SECOND).await;
    }
}

async fn with_deadline<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    let deadline = Instant::now() + 30 * SECOND;
    let mut retries = 0;
    loop {
        let attempt = timeout_at(deadline, work::<N>(seed)).await;
        match attempt.unwrap_or(Err(Failed::TimedOut)) {
            Err(error)
                if error.is_transient() && retries < 2 && Instant::now() + SECOND < deadline =>
            {
                retries += 1;
            }
            outcome => return outcome,
        }
        sleep(SECOND).await;
    }
}
