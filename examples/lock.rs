//! A lock in Redis, and what an unknown outcome means for it.
//!
//! - Taking it: `SET … NX GET` answers with the token that is there. If it is ours, an earlier attempt took the lock and
//!   its reply was lost. So the command may be repeated, as long as each lock has a token of its own.
//! - Releasing it: a script deletes the key only if it holds our token, so it never releases the lock of another. A
//!   repeat finds nothing to delete and does no harm.
//! - After an error we may hold the lock or not. Treat it as not held; it expires by itself.
//!
//! A lock that expires does not stop a holder that was paused. Where two writers do real harm, let the resource refuse a
//! writer whose lock is older than one that it has seen.

mod server;

use std::time::{Duration, Instant};

use fred::prelude::*;
use retry_runtime::{
    Idempotence, RetryPolicy,
    fred::{RetryClient, Script},
    retryable,
    testing::{Fault, FaultProxy},
};

const TTL_MILLIS: i64 = 5_000;

#[derive(Debug)]
struct Lock {
    key: &'static str,
    token: String,
    /// From before the command was sent: the server counts from some moment after.
    expires: Instant,
}

impl Lock {
    /// Takes the lock if it is free.
    async fn try_acquire(client: &RetryClient, key: &'static str) -> FredResult<Option<Self>> {
        let lock = Self {
            key,
            token: format!("{:032x}", fastrand::u128(..)),
            expires: Instant::now() + Duration::from_millis(TTL_MILLIS.unsigned_abs()),
        };
        let holder: Option<String> = client
            .idempotent()
            .set(key, &*lock.token, Some(Expiration::PX(TTL_MILLIS)), Some(SetOptions::NX), true)
            .await?;
        Ok(holder.is_none_or(|holder| holder == lock.token).then_some(lock))
    }

    /// Waits for the lock; `None` if it was not free for two seconds.
    #[retryable(
        policy = constant(delay = "50ms", jitter = equal, retries = unlimited, deadline = "2s"),
        on_ok = Option::is_none,
        nested = inner_only, // the client has retried the errors
    )]
    async fn acquire(client: &RetryClient, key: &'static str) -> FredResult<Option<Self>> {
        Self::try_acquire(client, key).await
    }

    /// Releases the lock, unless it has expired.
    async fn release(self, client: &RetryClient, script: &Script) -> FredResult<()> {
        client.run_script(script, self.key, self.token).await
    }
}

fn release_script() -> Script {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end",
        Idempotence::Idempotent,
    )
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let policy = RetryPolicy::exponential().retries(3).attempt_timeout(Duration::from_millis(500));
    let client =
        RetryClient::connect_url(&format!("redis://127.0.0.1:{}", proxy.port()), policy).await?;
    let script = release_script();

    proxy.inject("SET", Fault::LoseReply, 1);
    let lock = Lock::acquire(&client, "lock").await?.expect("the lock is free");
    println!("taken, in {} attempts: the reply to the first was lost", proxy.sent("SET"));
    assert_eq!(proxy.sent("SET"), 2);
    assert!(Lock::try_acquire(&client, "lock").await?.is_none());
    println!("another cannot take it");

    let (waiting, released) = tokio::join!(Lock::acquire(&client, "lock"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.inject("EVAL", Fault::LoseReply, 1);
        assert!(lock.expires > Instant::now(), "the work took longer than the lock holds");
        lock.release(&client, &script).await
    });
    released?;
    let lock = waiting?.expect("the lock was released");
    println!("released, though the reply was lost, and taken by the one who waited");
    lock.release(&client, &script).await?;
    assert_eq!(client.exists::<i64, _>("lock").await?, 0);
    Ok(())
}
