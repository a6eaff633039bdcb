//! A rate limiter in Redis, and what an unknown outcome means for it.
//!
//! A script that only increments a counter is not safe to repeat: if its reply is lost, nobody knows whether it counted
//! the request. This one stores an id for each request, so a repeat finds the id and counts nothing. That takes memory
//! for each request in the window. If that is too much, count with `INCR`, and let a request pass if its reply is lost.
//!
//! A request also passes if Redis does not answer: a limiter must not be what stops the service.

use std::time::{Duration, Instant};

use retry_runtime::{
    CircuitBreaker, RetryPolicy,
    fred::{RetryClient, Script},
    policy::Idempotence,
    testing::{Fault, FaultProxy},
};

/// Returns 0 if the request passes, or the milliseconds until the next one can.
const CODE: &str = "
local id, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZSCORE', KEYS[1], id) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= limit then
  return redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + window - now
end
redis.call('ZADD', KEYS[1], now, id)
redis.call('PEXPIRE', KEYS[1], window)
return 0";

struct Limiter {
    redis: RetryClient,
    script: Script,
    limit: u32,
    window: Duration,
}

/// The answer of the limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    /// Answer 429 with this `Retry-After`.
    Waits(Duration),
    /// Redis did not answer, so the request passes.
    Unlimited,
}

impl Limiter {
    async fn connect(
        url: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        // Each request waits for the limiter, so its time is short, and the breaker saves it during an outage.
        let policy = RetryPolicy::exponential()
            .base_delay(Duration::from_millis(5))
            .retries(9)
            .attempt_timeout(Duration::from_millis(100))
            .deadline(Duration::from_secs(1))
            .breaker(&CircuitBreaker::builder().name("limiter").minimum_calls(5).build()?);
        let redis = RetryClient::connect_url(url, policy).await?;
        Ok(Self { redis, script: Script::new(CODE, Idempotence::Idempotent), limit, window })
    }

    async fn ask(&self, caller: &str) -> Verdict {
        let id = format!("{:032x}", fastrand::u128(..));
        let window = self.window.as_millis().to_string();
        let arguments = vec![id, self.limit.to_string(), window];
        match self
            .redis
            .run_script::<u64, _, _>(&self.script, format!("limit:{caller}"), arguments)
            .await
        {
            Ok(0) => Verdict::Passes,
            Ok(millis) => Verdict::Waits(Duration::from_millis(millis)),
            Err(error) => {
                println!("no answer from the limiter: {error}");
                Verdict::Unlimited
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = retry_server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let limiter = Limiter::connect(&url, 3, Duration::from_secs(2)).await?;

    for _ in 0..2 {
        assert_eq!(limiter.ask("ada").await, Verdict::Passes);
    }
    proxy.inject("EVALSHA", Fault::LoseReply, 1);
    assert_eq!(limiter.ask("ada").await, Verdict::Passes);
    println!("three pass; the reply to the third was lost, and it counted once");
    let Verdict::Waits(delay) = limiter.ask("ada").await else { panic!("the fourth passes") };
    println!("the fourth has to wait for {delay:?}");
    tokio::time::sleep(delay).await;
    assert_eq!(limiter.ask("ada").await, Verdict::Passes);
    println!("then it passes");

    server.kill()?;
    let begin = Instant::now();
    for _ in 0..5 {
        assert_eq!(limiter.ask("ada").await, Verdict::Unlimited);
    }
    println!("without Redis all pass; five calls took {:?}", begin.elapsed());
    Ok(())
}
