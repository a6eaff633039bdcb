//! The kinds of calls.

/// What a call does; each of its writes carries a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Incr,
    Push,
    Xadd,
    /// `SET` and `GET` of a key that no other task writes.
    Set,
    /// The same with [`at_most_once`](retry_runtime::fred::Commands::at_most_once).
    SetOnce,
    Hset,
    Zadd,
    Sadd,
    Echo,
    /// A pipeline that is answered as one.
    All,
    /// A pipeline that is answered command by command.
    TryAll,
    Multi,
    Transaction,
    Script,
    /// A script that may be repeated.
    Repeatable,
    /// A script that writes, and answers an error that reads like a refusal of the server.
    ScriptError,
    /// `idempotent()`: may be executed more than once.
    Idempotent,
    AtMostOnce,
    /// Dropped midway by a limit of the caller.
    Dropped,
    /// `#[retryable]` around a pipeline that is executed in part.
    Guarded,
    /// Fills the queues.
    Queue,
    /// Takes from the queues.
    Pop,
    /// A write and `WAIT` for the replicas.
    Kept,
}

/// All kinds, in the order of their numbers.
pub const KINDS: [Kind; 23] = [
    Kind::Incr,
    Kind::Push,
    Kind::Xadd,
    Kind::Set,
    Kind::SetOnce,
    Kind::Hset,
    Kind::Zadd,
    Kind::Sadd,
    Kind::Echo,
    Kind::All,
    Kind::TryAll,
    Kind::Multi,
    Kind::Transaction,
    Kind::Script,
    Kind::Repeatable,
    Kind::ScriptError,
    Kind::Idempotent,
    Kind::AtMostOnce,
    Kind::Dropped,
    Kind::Guarded,
    Kind::Queue,
    Kind::Pop,
    Kind::Kept,
];

impl Kind {
    /// The kinds that the tasks of a shared client draw from.
    pub const MIXED: [Self; 21] = {
        let mut mixed = [Self::Incr; 21];
        let mut place = 0;
        while place < mixed.len() {
            mixed[place] = KINDS[place];
            place += 1;
        }
        mixed
    };

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Incr => "INCR",
            Self::Push => "LPUSH/RPUSH",
            Self::Xadd => "XADD",
            Self::Set => "SET/GET",
            Self::SetOnce => "SET/GET at_most_once",
            Self::Hset => "HSET",
            Self::Zadd => "ZADD",
            Self::Sadd => "SADD",
            Self::Echo => "PING text",
            Self::All => "pipeline all",
            Self::TryAll => "pipeline try_all",
            Self::Multi => "multi/exec",
            Self::Transaction => "transaction",
            Self::Script => "script",
            Self::Repeatable => "script idempotent",
            Self::ScriptError => "script that fails",
            Self::Idempotent => "idempotent()",
            Self::AtMostOnce => "at_most_once()",
            Self::Dropped => "dropped by caller",
            Self::Guarded => "#[retryable] pipeline",
            Self::Queue => "push to queue",
            Self::Pop => "BLPOP",
            Self::Kept => "pipeline with WAIT",
        }
    }

    /// Tells whether the caller agreed to more than one execution.
    pub fn consents(self) -> bool {
        matches!(self, Self::Idempotent | Self::Repeatable)
    }
}
