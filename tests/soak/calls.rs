//! The calls of one task.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fred::{
    error::{Error, ErrorKind},
    interfaces::{
        ClientLike, FredResult, HashesInterface, KeysInterface, ListInterface, ServerInterface,
        SetsInterface, SortedSetsInterface, StreamsInterface,
    },
    util::redis_keyslot,
};
use retry_runtime::fred::{NotSentinel, RetryClient, Target};

use crate::{
    kind::Kind,
    ledger::{Ledger, Told},
    own::Own,
    units::guarded,
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
    /// The third of the slots that the last call with one key wrote to.
    pub third: Option<u32>,
}

impl<C: Loadable> Caller<C> {
    /// Returns the key of a family that an effect belongs to, and remembers the node it is for.
    pub fn aim(&mut self, family: &str, id: u64) -> String {
        let key = key(family, id);
        self.third = Some(u32::from(redis_keyslot(key.as_bytes())) * 3 / SLOTS);
        key
    }
}

/// The slots of a cluster.
const SLOTS: u32 = 16_384;

/// Returns the key of a family that an effect belongs to.
pub fn key(family: &str, id: u64) -> String {
    format!("{family}:{}", id % SHARDS)
}

impl<C: Loadable> Caller<C> {
    /// Makes one call; returns what was told.
    pub async fn call(&mut self, kind: Kind) -> Told {
        let begin = Instant::now();
        self.third = None;
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

    /// Numbers an effect.
    pub fn ask(&self, kind: Kind) -> u64 {
        let [id] = self.ledger.ask(kind as u8);
        id
    }

    /// Keeps what a call ended with.
    pub fn tell<T>(&self, kind: Kind, ids: &[u64], result: &FredResult<T>) -> Told {
        let told = match result {
            Ok(_) => Told::Done,
            Err(error) => self.failed(kind, error),
        };
        ids.iter().for_each(|id| self.ledger.tell(*id, told));
        told
    }

    /// Keeps an error, and returns what it says.
    pub fn failed(&self, kind: Kind, error: &Error) -> Told {
        if !is_wanted(kind, error) {
            self.ledger.error(kind.name(), error);
        }
        Told::of(error)
    }

    async fn write(&mut self, kind: Kind) -> Told {
        let id = self.ask(kind);
        let client = self.client.clone();
        let key = match kind {
            Kind::Push => self.aim("list", id),
            Kind::Xadd => self.aim("xadd", id),
            Kind::Idempotent => self.aim("again", id),
            Kind::AtMostOnce => self.aim("once", id),
            _ => key("queue", id),
        };
        let result: FredResult<()> = match kind {
            Kind::Push if self.random.bool() => client.rpush(key, id).await,
            Kind::Push => client.lpush(key, id).await,
            Kind::Xadd => client.xadd(key, false, None, "*", ("e", id)).await,
            Kind::Idempotent => client.idempotent().rpush(key, id).await,
            Kind::AtMostOnce => client.at_most_once().rpush(key, id).await,
            Kind::Queue => client.rpush(key, id).await,
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
        let key = self.aim(["hash", "zset", "set"][usize::from(kind as u8 - Kind::Hset as u8)], id);
        let client = &self.client;
        let result: FredResult<u64> = match kind {
            Kind::Hset => client.hset(key, (id.to_string(), "v")).await,
            Kind::Zadd => {
                let member = (1.0, id.to_string());
                client.zadd(key, None, None, false, false, member).await
            }
            _ => client.sadd(key, id).await,
        };
        self.expect(kind.name(), 1, &result);
        self.tell(kind, &[id], &result)
    }

    /// Compares an answer with the only one that is right.
    pub fn expect<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        right: T,
        got: &FredResult<T>,
    ) {
        if let Ok(got) = got
            && *got != right
        {
            self.ledger.wrong(format!("{what} answers {got:?} instead of {right:?}"));
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

    async fn echo(&mut self) -> Told {
        let text = format!("text {}", self.random.u64(..));
        let result = self.client.ping::<String>(Some(text.clone())).await;
        self.expect("PING", text, &result);
        self.tell(Kind::Echo, &[], &result)
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
