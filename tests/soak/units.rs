//! What is sent as one: pipelines, transactions, scripts; and calls that nobody waits for.

use std::{future::Future, sync::LazyLock, time::Duration};

use fred::{
    interfaces::FredResult,
    types::{ClusterHash, Value, config::Options},
    util::redis_keyslot,
};
use retry_runtime::{
    fred::{RetryClient, RetryPipeline, Script},
    policy::Idempotence,
    retryable,
};

use crate::{
    calls::{CONTENDED, Caller, Loadable, SHARDS, key},
    kind::Kind,
    ledger::Told,
};

static PUSH: LazyLock<Script> = LazyLock::new(|| {
    let code = "redis.call('RPUSH', KEYS[1], ARGV[1]) return ARGV[1]";
    Script::new(code, Idempotence::NotIdempotent)
});

static REPEATABLE: LazyLock<Script> = LazyLock::new(|| {
    let code = "redis.call('RPUSH', KEYS[1], ARGV[1]) return ARGV[1]";
    Script::new(code, Idempotence::Idempotent)
});

static FAILING: LazyLock<Script> = LazyLock::new(|| {
    let code =
        "redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.error_reply('BUSY no worker is free')";
    Script::new(code, Idempotence::NotIdempotent)
});

/// The hash of a script that no server knows.
const UNKNOWN_HASH: &str = "ffffffffffffffffffffffffffffffffffffffff";

impl<C: Loadable> Caller<C> {
    /// Queues three writes, to three nodes or to one.
    async fn queue(&mut self, kind: Kind) -> FredResult<([u64; 3], RetryPipeline<C>)> {
        let ids: [u64; 3] = self.ledger.ask(kind as u8);
        let pipeline = self.client.pipeline();
        let tag =
            if self.random.bool() { format!("{{{}}}", ids[0] % SHARDS) } else { String::new() };
        let shard = ids[0] % SHARDS;
        pipeline.rpush::<(), _, _>(format!("pipe{tag}:{shard}"), ids[0]).await?;
        pipeline.incr::<(), _>(format!("c:{tag}{}", ids[1])).await?;
        let stream = format!("xpipe{tag}:{shard}");
        pipeline.xadd::<(), _, _, _, _>(stream, false, None, "*", ("e", ids[2])).await?;
        Ok((ids, pipeline))
    }

    /// Sends a pipeline that is answered as one.
    pub async fn all(&mut self) -> Told {
        let (ids, pipeline) = self.queue(Kind::All).await.expect("queued");
        let result = pipeline.all::<Vec<Value>>().await;
        self.tell(Kind::All, &ids, &result)
    }

    /// Sends a pipeline that is answered command by command.
    pub async fn try_all(&mut self) -> Told {
        let (ids, pipeline) = self.queue(Kind::TryAll).await.expect("queued");
        let results = pipeline.try_all::<Value>().await;
        if results.len() != ids.len() {
            self.ledger.wrong(format!("{} results of 3 commands", results.len()));
        }
        let told = ids.iter().zip(&results);
        let told = told.map(|(id, result)| self.tell(Kind::TryAll, &[*id], result));
        told.max().unwrap_or(Told::Pending)
    }

    /// Makes two writes that happen together or not at all.
    pub async fn multi(&mut self) -> Told {
        let ids: [u64; 2] = self.ledger.ask(Kind::Multi as u8);
        let tag = ids[0] % SHARDS;
        let multi = self.client.multi();
        multi.rpush::<(), _, _>(format!("{{m{tag}}}a"), ids[0]).await.expect("queued");
        multi.rpush::<(), _, _>(format!("{{m{tag}}}b"), ids[1]).await.expect("queued");
        let result = multi.exec::<Vec<u64>>(false).await;
        self.tell(Kind::Multi, &ids, &result)
    }

    /// Counts up what it has read.
    pub async fn transaction(&mut self) -> Told {
        let id = self.ask(Kind::Transaction);
        let result = transaction(&self.client, id).await;
        self.tell(Kind::Transaction, &[id], &result)
    }

    /// Runs a script that writes.
    pub async fn script(&mut self, kind: Kind) -> Told {
        let id = self.ask(kind);
        let (script, family) = match kind {
            Kind::Script => (&*PUSH, "script"),
            Kind::Repeatable => (&*REPEATABLE, "rescript"),
            _ => (&*FAILING, "failing"),
        };
        let client =
            if self.random.bool() { self.client.clone() } else { self.client.at_most_once() };
        let client = if kind == Kind::Repeatable { self.client.clone() } else { client };
        let result = client.run_script::<u64, _, _>(script, key(family, id), id).await;
        self.expect("a script", id, &result);
        self.tell(kind, &[id], &result)
    }

    /// Gives up on a call midway, as callers do with a limit of their own.
    pub async fn dropped(&mut self) -> Told {
        let limit = Duration::from_micros(self.random.u64(200..30_000));
        let id = self.ask(Kind::Dropped);
        let client = self.client.clone();
        let list = key("drop", id);
        match self.random.u8(..4) {
            0 => {
                self.within(limit, id, client.xadd(key("xdrop", id), false, None, "*", ("e", id)))
                    .await
            }
            1 => self.within(limit, id, transaction(&client, id)).await,
            2 => self.within(limit, id, client.run_script(&PUSH, list, id)).await,
            _ => {
                let pipeline = client.pipeline();
                pipeline.rpush::<(), _, _>(list, id).await.expect("queued");
                self.within(limit, id, pipeline.all()).await
            }
        }
    }

    async fn within(
        &self,
        limit: Duration,
        id: u64,
        call: impl Future<Output = FredResult<Value>>,
    ) -> Told {
        match tokio::time::timeout(limit, call).await {
            Ok(result) => self.tell(Kind::Dropped, &[id], &result),
            Err(_) => {
                self.ledger.tell(id, Told::Dropped);
                Told::Dropped
            }
        }
    }

    /// Writes, and waits for the replicas.
    pub async fn kept(&mut self) -> Told {
        let id = self.ask(Kind::Kept);
        let list = key("kept", id);
        // `WAIT` has no key, and speaks of the writes that went before it on the same connection.
        let cluster_hash = Some(ClusterHash::Custom(redis_keyslot(list.as_bytes())));
        let pipeline =
            self.client.with_options(&Options { cluster_hash, ..Options::default() }).pipeline();
        pipeline.rpush::<(), _, _>(list, id).await.expect("queued");
        pipeline.wait::<()>(self.replicas.0, 150).await.expect("queued");
        let result = match pipeline.all::<(u64, i64)>().await {
            Ok((_, replicas)) if replicas < self.replicas.0 => {
                self.ledger.tell(id, Told::Alone);
                return Told::Alone;
            }
            result => result,
        };
        self.tell(Kind::Kept, &[id], &result)
    }
}

/// Counts up and logs it; an update would be lost if the watch did not work.
async fn transaction<C: Loadable>(client: &RetryClient<C>, id: u64) -> FredResult<Value> {
    let tag = format!("{{t{}}}", id % CONTENDED);
    let (counter, log) = (format!("{tag}n"), format!("{tag}log"));
    let watched_key = counter.clone();
    client
        .transaction(watched_key, |watched, multi| {
            let (counter, log) = (counter.clone(), log.clone());
            async move {
                let count: Option<u64> = watched.get(&counter).await?;
                let next = count.unwrap_or(0) + 1;
                multi.set::<(), _, _>(&counter, next, None, None, false).await?;
                multi.rpush::<(), _, _>(&log, id).await
            }
        })
        .await
}

/// Sends a pipeline of which a part may fail; the attribute may repeat it only if nothing of it was executed.
#[retryable(policy = constant(delay = "5ms", retries = 3))]
pub async fn guarded<C: Loadable>(client: &RetryClient<C>, id: u64) -> FredResult<()> {
    let pipeline = client.pipeline();
    let list = format!("{{guard{}}}", id % SHARDS);
    pipeline.rpush::<(), _, _>(&list, id).await?;
    if id.is_multiple_of(2) {
        pipeline.evalsha::<(), _, _, _>(UNKNOWN_HASH, &list, ()).await?;
    }
    pipeline.all::<Value>().await.map(|_| ())
}
