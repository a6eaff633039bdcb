use std::{fmt, time::Duration};

use retry_runtime::{
    Aborted, Budget, CircuitBreaker, Classify, DynPolicy, GiveUpReason, RetryPolicy,
};
use tokio_util::sync::CancellationToken;

/// What one attempt of a scenario does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Returns the value that is wanted.
    Answers,
    /// Returns a value that is not wanted yet.
    NotYet,
    /// Fails, and was not executed.
    Refused,
    /// Fails, and may have been executed.
    Lost,
    /// Fails, and would again.
    Broken,
    /// Does not end.
    Hangs,
}

/// How a call says what may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Idempotent,
    /// Asks again for values that are not wanted yet.
    Polls,
}

/// What bounds a call beside its two retries, in halves of a delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    None,
    Deadline(u32),
    AttemptTimeout(u32),
    GiveUpAfter(u32),
    Cancelled(u32),
    Budget { tokens: u32 },
    BreakerOpen,
}

/// What comes out of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Answer,
    NotYet,
    Refused,
    Lost,
    Broken,
    Deadline,
    AttemptTimeout,
    Cancelled,
    BreakerOpen,
}

/// All that is seen of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub end: End,
    pub attempts: u32,
    /// The waits that began, each of one delay.
    pub waits: u32,
    /// How long it took, in halves of a delay.
    pub halves: u32,
    /// Why it gave up.
    pub reason: Option<GiveUpReason>,
}

/// Where a scenario can happen, beside asynchronous calls on a paused clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    Nowhere,
    /// In blocking calls too, which nothing aborts.
    Blocking,
    /// In commands of a client too.
    Client,
    Everywhere,
}

/// A row: the attempts of a call, what bounds it, and what every form of a call must make of it.
pub struct Scenario {
    pub name: &'static str,
    /// The last happens again and again.
    pub steps: &'static [Step],
    pub kind: Kind,
    pub bound: Bound,
    pub expected: Seen,
    pub elsewhere: Elsewhere,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Scenario {
    /// Returns what an attempt does, counted from 1.
    pub fn step(&self, attempt: u32) -> Step {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.steps[index.min(self.steps.len() - 1)]
    }

    pub fn blocks(&self) -> bool {
        matches!(self.elsewhere, Elsewhere::Blocking | Elsewhere::Everywhere)
    }

    pub fn is_for_clients(&self) -> bool {
        matches!(self.elsewhere, Elsewhere::Client | Elsewhere::Everywhere)
    }

    /// Makes the policy of one call; its time begins now.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the call is cancelled later.
    pub fn policy<E>(&self, delay: Duration) -> DynPolicy<E>
    where
        E: Classify + From<Aborted> + 'static,
    {
        let policy = RetryPolicy::constant(delay);
        let half = delay / 2;
        match self.bound {
            Bound::None => DynPolicy::new(policy),
            Bound::Deadline(halves) => DynPolicy::new(policy.deadline(half * halves)),
            Bound::AttemptTimeout(halves) => DynPolicy::new(policy.attempt_timeout(half * halves)),
            Bound::GiveUpAfter(halves) => DynPolicy::new(policy.give_up_after(half * halves)),
            Bound::Cancelled(halves) => DynPolicy::new(policy.cancel(&cancelled(half * halves))),
            Bound::Budget { tokens } => {
                let budget = Budget::builder().capacity(tokens).build().expect("possible");
                DynPolicy::new(policy.budget(&budget))
            }
            Bound::BreakerOpen => {
                let breaker = CircuitBreaker::builder().build().expect("possible");
                breaker.force_open();
                DynPolicy::new(policy.breaker(&breaker))
            }
        }
    }
}

fn cancelled(after: Duration) -> CancellationToken {
    let token = CancellationToken::new();
    if after.is_zero() {
        token.cancel();
    } else {
        let later = token.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            later.cancel();
        });
    }
    token
}

macro_rules! scenarios {
    ($($name:literal: [$($step:ident),+] $kind:ident, $bound:expr => $end:ident, $attempts:literal attempts,
        $waits:literal waits, $halves:literal halves, $reason:expr, $elsewhere:ident;)+) => {
        &[$(Scenario {
            name: $name,
            steps: &[$(Step::$step),+],
            kind: Kind::$kind,
            bound: $bound,
            expected: Seen {
                end: End::$end,
                attempts: $attempts,
                waits: $waits,
                halves: $halves,
                reason: $reason,
            },
            elsewhere: Elsewhere::$elsewhere,
        }),+]
    };
}

/// The scenarios that every form of a call answers in the same way.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = scenarios! {
    "an answer at once": [Answers] Plain, Bound::None
        => Answer, 1 attempts, 0 waits, 0 halves, None, Everywhere;
    "an answer to the last retry": [Refused, Refused, Answers] Plain, Bound::None
        => Answer, 3 attempts, 2 waits, 4 halves, None, Everywhere;
    "no answer": [Refused] Plain, Bound::None
        => Refused, 3 attempts, 2 waits, 4 halves, Some(GiveUpReason::RetriesExhausted), Everywhere;
    "a permanent failure": [Broken] Plain, Bound::None
        => Broken, 1 attempts, 0 waits, 0 halves, Some(GiveUpReason::NotRetryable), Everywhere;
    "a permanent failure of a retry": [Refused, Broken] Plain, Bound::None
        => Broken, 2 attempts, 1 waits, 2 halves, Some(GiveUpReason::NotRetryable), Everywhere;
    "an unknown outcome": [Lost] Plain, Bound::None
        => Lost, 1 attempts, 0 waits, 0 halves, Some(GiveUpReason::NotIdempotent), Everywhere;
    "an unknown outcome of a retry": [Refused, Lost] Plain, Bound::None
        => Lost, 2 attempts, 1 waits, 2 halves, Some(GiveUpReason::NotIdempotent), Everywhere;
    "an unknown outcome that is harmless": [Lost, Answers] Idempotent, Bound::None
        => Answer, 2 attempts, 1 waits, 2 halves, None, Everywhere;
    "a permanent failure of what is idempotent": [Broken] Idempotent, Bound::None
        => Broken, 1 attempts, 0 waits, 0 halves, Some(GiveUpReason::NotRetryable), Everywhere;
    "a value that is wanted": [Answers] Polls, Bound::None
        => Answer, 1 attempts, 0 waits, 0 halves, None, Blocking;
    "a value that comes late": [NotYet, Refused, Answers] Polls, Bound::None
        => Answer, 3 attempts, 2 waits, 4 halves, None, Blocking;
    "a value that does not come": [NotYet] Polls, Bound::None
        => NotYet, 3 attempts, 2 waits, 4 halves, Some(GiveUpReason::RetriesExhausted), Blocking;
    "a deadline in an attempt": [Refused, Hangs] Plain, Bound::Deadline(5)
        => Deadline, 2 attempts, 1 waits, 5 halves, Some(GiveUpReason::Deadline), Client;
    "a deadline in the first attempt": [Hangs] Idempotent, Bound::Deadline(1)
        => Deadline, 1 attempts, 0 waits, 1 halves, Some(GiveUpReason::Deadline), Client;
    "a deadline below the wait": [Refused] Plain, Bound::Deadline(1)
        => Refused, 1 attempts, 0 waits, 0 halves, Some(GiveUpReason::Deadline), Everywhere;
    "a deadline below the second wait": [Refused] Plain, Bound::Deadline(3)
        => Refused, 2 attempts, 1 waits, 2 halves, Some(GiveUpReason::Deadline), Client;
    "no time at all": [Answers] Plain, Bound::Deadline(0)
        => Deadline, 0 attempts, 0 waits, 0 halves, Some(GiveUpReason::Deadline), Client;
    "a long attempt": [Hangs] Plain, Bound::AttemptTimeout(1)
        => AttemptTimeout, 1 attempts, 0 waits, 1 halves, Some(GiveUpReason::AttemptTimeout), Client;
    "a long attempt that may be repeated": [Hangs, Answers] Idempotent, Bound::AttemptTimeout(1)
        => Answer, 2 attempts, 1 waits, 3 halves, None, Nowhere;
    "long attempts": [Hangs] Idempotent, Bound::AttemptTimeout(1)
        => AttemptTimeout, 3 attempts, 2 waits, 7 halves, Some(GiveUpReason::RetriesExhausted), Nowhere;
    "failing for long": [Refused] Plain, Bound::GiveUpAfter(3)
        => Refused, 2 attempts, 1 waits, 2 halves, Some(GiveUpReason::Deadline), Nowhere;
    "a budget for one retry": [Refused] Plain, Bound::Budget { tokens: 14 }
        => Refused, 2 attempts, 1 waits, 2 halves, Some(GiveUpReason::Budget), Blocking;
    "an open breaker": [Answers] Plain, Bound::BreakerOpen
        => BreakerOpen, 0 attempts, 0 waits, 0 halves, Some(GiveUpReason::BreakerOpen), Everywhere;
    "cancelled before it begins": [Answers] Plain, Bound::Cancelled(0)
        => Cancelled, 0 attempts, 0 waits, 0 halves, Some(GiveUpReason::Cancelled), Everywhere;
    "cancelled while it waits": [Refused] Plain, Bound::Cancelled(3)
        => Refused, 2 attempts, 2 waits, 3 halves, Some(GiveUpReason::Cancelled), Client;
};
