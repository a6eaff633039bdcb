//! The calls of one task.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use fred::{
    error::{Error, ErrorKind},
    interfaces::{
        ClientLike, FredResult, HashesInterface, KeysInterface, ListInterface, ServerInterface,
        SetsInterface, SortedSetsInterface, StreamsInterface,
    },
    types::Value,
};
use retry_runtime::{
    Idempotence,
    fred::{NotSentinel, RetryClient, Script, Target},
    retryable,
};

use crate::{
    kind::Kind,
    ledger::{Ledger, Told},
};

/// The clients that the load can run on.
pub trait Loadable:
    Target
    + NotSentinel
    + Clone
    + ClientLike
    + KeysInterface
    + ListInterface
    + HashesInterface
    + SetsInterface
    + SortedSetsInterface
    + StreamsInterface
    + ServerInterface
{
}

impl Loadable for fred::clients::Client {}

impl Loadable for fred::clients::Pool {}

/// How many keys each kind of call writes to; on a cluster they are on all nodes.
pub const SHARDS: u64 = 12;

/// How long a pop waits for an element: less than an attempt has.
const POP: Duration = Duration::from_millis(200);

/// The keys of transactions, which are to meet now and then.
pub const CONTENDED: u64 = 4;

/// How many replicas a write waits for.
#[derive(Debug, Clone, Copy)]
pub struct Replicas(pub i64);

/// What one task calls with.
pub struct Caller<C: Loadable> {
    pub client: RetryClient<C>,
    pub ledger: Arc<Ledger>,
    pub random: fastrand::Rng,
    /// The key and the last values of `SET`, by whether it may be repeated.
    pub own: [Own; 2],
    pub replicas: Replicas,
    /// Whether an acknowledged write can be lost with a primary.
    pub lossy: bool,
}

/// A key that only one task writes.
#[derive(Debug, Default)]
pub struct Own {
    key: String,
    last: u64,
    acknowledged: u64,
    doubtful: BTreeSet<u64>,
}

impl Own {
    /// Begins with a key that does not exist.
    pub fn of(key: String) -> Self {
        Self { key, ..Self::default() }
    }
}

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

fn key(family: &str, id: u64) -> String {
    format!("{family}:{}", id % SHARDS)
}

impl<C: Loadable> Caller<C> {
    /// Makes one call; returns what was told.
    pub async fn call(&mut self, kind: Kind) -> Told {
        let begin = Instant::now();
        let told = match kind {
            Kind::Set => self.set(kind, 0).await,
            Kind::SetOnce => self.set(kind, 1).await,
            Kind::Echo => self.echo().await,
            Kind::All => self.all().await,
            Kind::TryAll => self.try_all().await,
            Kind::Multi => self.multi().await,
            Kind::Transaction => self.transaction().await,
            Kind::Hset | Kind::Zadd | Kind::Sadd => self.member(kind).await,
            Kind::Script | Kind::Repeatable | Kind::ScriptError => self.script(kind).await,
            Kind::Dropped => self.dropped().await,
            Kind::Pop => self.pop().await,
            Kind::Kept => self.kept().await,
            Kind::Incr => self.incr().await,
            _ => self.write(kind).await,
        };
        self.ledger.count(kind as u8, told, begin.elapsed());
        told
    }

    fn ask(&self, kind: Kind) -> u64 {
        let [id] = self.ledger.ask(kind as u8);
        id
    }

    /// Keeps what a call ended with.
    fn tell<T>(&self, kind: Kind, ids: &[u64], result: &FredResult<T>) -> Told {
        let told = match result {
            Ok(_) => Told::Done,
            Err(error) => self.failed(kind, error),
        };
        ids.iter().for_each(|id| self.ledger.tell(*id, told));
        told
    }

    fn failed(&self, kind: Kind, error: &Error) -> Told {
        if !is_wanted(kind, error) {
            self.ledger.error(kind.name(), error);
        }
        Told::of(error)
    }

    async fn write(&mut self, kind: Kind) -> Told {
        let id = self.ask(kind);
        let client = self.client.clone();
        let result: FredResult<()> = match kind {
            Kind::Push if self.random.bool() => client.rpush(key("list", id), id).await,
            Kind::Push => client.lpush(key("list", id), id).await,
            Kind::Xadd => client.xadd(key("xadd", id), false, None, "*", ("e", id)).await,
            Kind::Idempotent => client.idempotent().rpush(key("again", id), id).await,
            Kind::AtMostOnce => client.at_most_once().rpush(key("once", id), id).await,
            Kind::Queue => client.rpush(key("queue", id), id).await,
            _ => guarded(&client, id).await,
        };
        self.tell(kind, &[id], &result)
    }

    async fn incr(&mut self) -> Told {
        let id = self.ask(Kind::Incr);
        let result = self.client.incr::<u64, _>(format!("c:{id}")).await;
        self.expect("INCR of a new key", 1, &result);
        self.tell(Kind::Incr, &[id], &result)
    }

    /// Adds a member that was never there.
    async fn member(&mut self, kind: Kind) -> Told {
        let id = self.ask(kind);
        let client = &self.client;
        let result: FredResult<u64> = match kind {
            Kind::Hset => client.hset(key("hash", id), (id.to_string(), "v")).await,
            Kind::Zadd => {
                let member = (1.0, id.to_string());
                client.zadd(key("zset", id), None, None, false, false, member).await
            }
            _ => client.sadd(key("set", id), id).await,
        };
        self.expect(kind.name(), 1, &result);
        self.tell(kind, &[id], &result)
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&self, what: &str, right: T, got: &FredResult<T>) {
        if let Ok(got) = got
            && *got != right
        {
            self.ledger.wrong(format!("{what} answers {got:?} instead of {right:?}"));
        }
    }

    async fn echo(&mut self) -> Told {
        let text = format!("text {}", self.random.u64(..));
        let result = self.client.ping::<String>(Some(text.clone())).await;
        self.expect("PING", text, &result);
        self.tell(Kind::Echo, &[], &result)
    }

    async fn set(&mut self, kind: Kind, which: usize) -> Told {
        let client =
            if kind == Kind::Set { self.client.clone() } else { self.client.at_most_once() };
        let own = &mut self.own[which];
        own.last += 1;
        let (own_key, next) = (own.key.clone(), own.last);
        let value = format!("{own_key}={next}");
        let set: FredResult<()> = client.set(&own_key, value, None, None, false).await;
        let told = self.tell(kind, &[], &set);
        let own = &mut self.own[which];
        if told == Told::Done {
            own.acknowledged = next;
        } else if told != Told::NotExecuted {
            own.doubtful.insert(next);
        }
        match self.client.get::<Option<String>, _>(&own_key).await {
            Ok(found) => self.check_own(which, found.as_deref()),
            Err(error) => return self.failed(kind, &error),
        }
        told
    }

    /// Compares what was read with what was written; only this task writes the key.
    fn check_own(&self, which: usize, found: Option<&str>) {
        let own = &self.own[which];
        let Some(found) = found else {
            if own.acknowledged > 0 && !self.lossy {
                self.ledger.wrong(format!("{} is gone", own.key));
            }
            return;
        };
        let number = found.strip_prefix(&format!("{}=", own.key));
        let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) else {
            return self.ledger.wrong(format!("{} holds {found:?}: the reply of another", own.key));
        };
        if number > own.last {
            self.ledger.wrong(format!("{} holds {number} of {}", own.key, own.last));
        } else if number < own.acknowledged {
            // One that may be repeated, or was in doubt, can arrive after its successor.
            if which == 0 || own.doubtful.contains(&number) || self.lossy {
                self.ledger.older();
            } else {
                let told = own.acknowledged;
                self.ledger.wrong(format!("{} holds {number} after {told} was told", own.key));
            }
        }
    }

    /// Queues three writes, to three nodes or to one.
    async fn queue(
        &mut self,
        kind: Kind,
    ) -> FredResult<([u64; 3], retry_runtime::fred::RetryPipeline<C>)> {
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

    async fn all(&mut self) -> Told {
        let (ids, pipeline) = self.queue(Kind::All).await.expect("queued");
        let result = pipeline.all::<Vec<Value>>().await;
        self.tell(Kind::All, &ids, &result)
    }

    async fn try_all(&mut self) -> Told {
        let (ids, pipeline) = self.queue(Kind::TryAll).await.expect("queued");
        let results = pipeline.try_all::<Value>().await;
        if results.len() != ids.len() {
            self.ledger.wrong(format!("{} results of 3 commands", results.len()));
        }
        let told = ids.iter().zip(&results);
        let told = told.map(|(id, result)| self.tell(Kind::TryAll, &[*id], result));
        told.max().unwrap_or(Told::Pending)
    }

    async fn multi(&mut self) -> Told {
        let ids: [u64; 2] = self.ledger.ask(Kind::Multi as u8);
        let tag = ids[0] % SHARDS;
        let multi = self.client.multi();
        multi.rpush::<(), _, _>(format!("{{m{tag}}}a"), ids[0]).await.expect("queued");
        multi.rpush::<(), _, _>(format!("{{m{tag}}}b"), ids[1]).await.expect("queued");
        let result = multi.exec::<Vec<u64>>(false).await;
        self.tell(Kind::Multi, &ids, &result)
    }

    async fn transaction(&mut self) -> Told {
        let id = self.ask(Kind::Transaction);
        let result = transaction(&self.client, id).await;
        self.tell(Kind::Transaction, &[id], &result)
    }

    async fn script(&mut self, kind: Kind) -> Told {
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
    async fn dropped(&mut self) -> Told {
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

    async fn pop(&mut self) -> Told {
        let keys = { 0..SHARDS }.map(|shard| format!("queue:{shard}"));
        let keys = if self.client.fred().is_clustered() {
            vec![format!("queue:{}", self.random.u64(..SHARDS))]
        } else {
            keys.collect::<Vec<_>>()
        };
        let begin = Instant::now();
        let result = self.client.blpop::<(String, u64), _>(keys, POP.as_secs_f64()).await;
        match &result {
            Ok((_, id)) => self.ledger.pop(*id),
            // fred tells an empty queue as a timeout; that of an attempt comes later.
            Err(error) if *error.kind() == ErrorKind::Timeout => {
                if (POP..POP * 2).contains(&begin.elapsed()) {
                    return Told::Done;
                }
            }
            Err(_) => {}
        }
        self.tell(Kind::Pop, &[], &result)
    }

    async fn kept(&mut self) -> Told {
        let id = self.ask(Kind::Kept);
        let pipeline = self.client.pipeline();
        let list = key("kept", id);
        pipeline.rpush::<(), _, _>(list, id).await.expect("queued");
        pipeline.wait::<()>(self.replicas.0, 150).await.expect("queued");
        let result = match pipeline.all::<(u64, i64)>().await {
            Ok((_, replicas)) if replicas < self.replicas.0 => {
                self.ledger.tell(id, Told::Unknown);
                return Told::Unknown;
            }
            result => result,
        };
        self.tell(Kind::Kept, &[id], &result)
    }
}

/// Tells whether an error is what the call is for, and no fault.
fn is_wanted(kind: Kind, error: &Error) -> bool {
    match kind {
        Kind::ScriptError => error.details().starts_with("BUSY no worker"),
        Kind::Guarded => error.details().starts_with("NOSCRIPT"),
        _ => false,
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
async fn guarded<C: Loadable>(client: &RetryClient<C>, id: u64) -> FredResult<()> {
    let pipeline = client.pipeline();
    let list = format!("{{guard{}}}", id % SHARDS);
    pipeline.rpush::<(), _, _>(&list, id).await?;
    if id.is_multiple_of(2) {
        pipeline.evalsha::<(), _, _, _>(UNKNOWN_HASH, &list, ()).await?;
    }
    pipeline.all::<Value>().await.map(|_| ())
}
