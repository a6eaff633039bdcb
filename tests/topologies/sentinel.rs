//! A primary that its sentinels replace, because it dies or because they are told to.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use fred::{error::ErrorKind, prelude::*};
use retry_runtime::{
    Exponential, RetryPolicy,
    fred::RetryClient,
    policy::{ByDisposition, Timed},
};
use retry_tests::{Load, RedisSentinel, Tally};

/// Enough retries to last through a failover.
const POLICY: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .base_delay(Duration::from_millis(20))
    .max_delay(Duration::from_millis(200))
    .retries(300)
    .attempt_timeout(Duration::from_secs(1));

/// Writes that count once the primary has them, and writes that count once both replicas have them too.
struct Writes {
    client: RetryClient,
    plain: Load,
    kept: Load,
}

impl Writes {
    /// Connects twice, because `WAIT` holds up all that comes after it on a connection.
    async fn start(all: &RedisSentinel) -> Self {
        let connect = || async {
            RetryClient::connect(all.config(), POLICY).await.expect("the sentinels are up")
        };
        let (client, keeping) = tokio::join!(connect(), connect());
        let pushing = client.clone();
        let plain = Load::start(4, move |number| {
            let client = pushing.clone();
            async move {
                client.rpush::<(), _, _>("plain", number).await?;
                // Enough to see what happens to them.
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok(())
            }
        });
        let kept = Load::start(2, move |number| {
            let client = keeping.clone();
            async move {
                // On one connection: `WAIT` speaks of the writes that went before it there.
                let pipeline = client.pipeline();
                pipeline.rpush::<(), _, _>("kept", number).await?;
                pipeline.wait::<()>(2, 200).await?;
                match pipeline.last::<u64>().await? {
                    2.. => Ok(()),
                    _ => Err(Error::new(ErrorKind::IO, "Not on both replicas.")),
                }
            }
        });
        Self { client, plain, kept }
    }

    /// Ends the writes and checks what the new primary holds.
    async fn check(self, scenario: &str, all: &RedisSentinel) {
        let (plain, kept) = tokio::join!(self.plain.stop(), self.kept.stop());
        let pushing = self.client;
        let after = Load::start(4, move |number| {
            let client = pushing.clone();
            async move { client.rpush("after", number).await }
        });
        after.answers(100).await;
        let after = after.stop().await;
        let primary = all.server(all.primary());
        let list = |name| primary.values(&["LRANGE", name, "0", "-1"]);
        kept.check_list(&format!("{scenario}, kept"), &list("kept"));
        check_once(scenario, &plain, &list("plain"));
        after.check_list(&format!("{scenario}, afterwards"), &list("after"));
    }
}

/// Checks that nothing is there twice; what the replica did not get of the acknowledged may be lost.
fn check_once(scenario: &str, tally: &Tally, list: &[String]) {
    let numbers = list.iter().map(|text| text.parse::<u64>().expect("a number"));
    let numbers = numbers.collect::<BTreeSet<_>>();
    let lost = tally.acknowledged.difference(&numbers).count();
    tally.report(scenario, format!("{}, acknowledged but lost {lost}", list.len()));
    assert_eq!(numbers.len(), list.len(), "{scenario}: a value is there twice");
    assert!(tally.refused.is_empty(), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_is_replaced_and_no_write_is_executed_twice() {
    let mut all = RedisSentinel::start();
    let writes = Writes::start(&all).await;
    tokio::join!(writes.plain.answers(100), writes.kept.answers(50));
    all.server_mut(0).kill();
    let begin = Instant::now();
    all.wait_for_another(0);
    println!("failover after {:?}", begin.elapsed());
    writes.plain.answers(100).await;
    writes.check("killed primary", &all).await;
}

/// The old primary takes writes until its sentinels demote it, seconds later; those are lost, whatever a client does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_failover_doubles_no_write() {
    let all = RedisSentinel::start();
    let writes = Writes::start(&all).await;
    tokio::join!(writes.plain.answers(100), writes.kept.answers(50));
    all.fail_over();
    let begin = Instant::now();
    all.wait_for_another(0);
    println!("failover after {:?}", begin.elapsed());
    all.wait_for_demotion(0);
    println!("demotion after {:?}", begin.elapsed());
    writes.plain.answers(100).await;
    writes.check("planned failover", &all).await;
}
