//! A lock in Redis, and what an unknown outcome means for it.
//!
//! - Acquire: `SET … NX GET` returns the token that the key held before. If that is our own, an earlier attempt took the
//!   lock and its reply was lost. So a repeat is safe, as long as each lock has its own token.
//! - Release: a script deletes the key only if it holds our token, so it never releases the lock of somebody else. A
//!   repeat finds nothing to delete.
//! - If the call fails nevertheless, the key may hold our token or not. We do not have the lock, and it expires.
//!
//! Expiry does not stop a holder that was suspended. If two writers would do real harm, give each lock a growing number,
//! and let the resource refuse a number below the highest one that it has seen.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use fred::prelude::*;
use retry_runtime::{
    RetryPolicy,
    fred::{RetryClient, Script},
    policy::Idempotence,
    retryable,
    testing::{Fault, FaultProxy},
};

const TTL_MILLIS: i64 = 5_000;

static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    let code = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";
    Script::new(code, Idempotence::Idempotent)
});

#[derive(Debug)]
struct Lock {
    key: &'static str,
    token: String,
    /// Counted from before the command was sent, so the server expires it later.
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

    /// Waits for the lock; returns `None` if it stays taken for two seconds.
    #[retryable(
        policy = constant(delay = "50ms", jitter = equal, retries = unlimited, deadline = "2s"),
        on_ok = Option::is_none,
        nested = inner_only, // the client has already retried the errors
    )]
    async fn acquire(client: &RetryClient, key: &'static str) -> FredResult<Option<Self>> {
        Self::try_acquire(client, key).await
    }

    /// Returns whether the lock is still held; ask before each write that it protects.
    fn is_held(&self) -> bool {
        Instant::now() < self.expires
    }

    /// Releases the lock, if it has not expired.
    async fn release(self, client: &RetryClient) -> FredResult<()> {
        client.run_script(&RELEASE, self.key, self.token).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = retry_server::Server::start()?;
    let proxy = FaultProxy::start(server.port()).await?;
    let policy = RetryPolicy::exponential().retries(3).attempt_timeout(Duration::from_millis(500));
    let client =
        RetryClient::connect_url(&format!("redis://127.0.0.1:{}", proxy.port()), policy).await?;

    proxy.inject("SET", Fault::LoseReply, 1);
    let lock = Lock::acquire(&client, "lock").await?.expect("the lock is free");
    println!("acquired in {} attempts: the reply to the first was lost", proxy.sent("SET"));
    assert_eq!(proxy.sent("SET"), 2);
    assert!(Lock::try_acquire(&client, "lock").await?.is_none());
    println!("nobody else can acquire it");

    let (waiting, released) = tokio::join!(Lock::acquire(&client, "lock"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.inject("EVAL", Fault::LoseReply, 1);
        assert!(lock.is_held());
        lock.release(&client).await
    });
    released?;
    let lock = waiting?.expect("the lock was released");
    println!("released, although the reply was lost, and acquired by a caller that waited");
    lock.release(&client).await?;
    assert_eq!(client.exists::<i64, _>("lock").await?, 0);
    Ok(())
}
