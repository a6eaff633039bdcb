//! What the client said of every effect that was asked for.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use fred::error::Error;
use retry_runtime::{Classify, Disposition};

/// What the caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Nothing yet.
    Pending,
    Done,
    /// It may have been executed.
    Unknown,
    NotExecuted,
    /// A repeat cannot help; says nothing about execution.
    Permanent,
    /// It was executed, but the replicas do not have it.
    Alone,
    /// The caller did not wait for the end.
    Dropped,
}

impl Told {
    /// Returns what an error says.
    pub fn of(error: &Error) -> Self {
        match error.disposition() {
            Disposition::NotExecuted => Self::NotExecuted,
            Disposition::Permanent => Self::Permanent,
            _ => Self::Unknown,
        }
    }
}

/// One write that takes effect once if it is executed once.
#[derive(Debug, Clone, Copy)]
pub struct Effect {
    /// The place of the kind of call in `KINDS`.
    pub kind: u8,
    pub told: Told,
    /// Whether the next effect belongs to the same call.
    pub is_first: bool,
    /// When it was told, in milliseconds since the start.
    pub at: u32,
}

/// The calls of one kind.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub told: BTreeMap<Told, u64>,
    pub longest: Duration,
}

/// Errors since a fault.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    pub number: u64,
    pub first: String,
    pub last: String,
    /// When the last came, in milliseconds since the start.
    pub last_at: u32,
}

impl Errors {
    /// Adds errors that came later.
    pub fn add(&mut self, later: Self) {
        self.number += later.number;
        if self.first.is_empty() {
            self.first = later.first;
        }
        if later.number > 0 {
            (self.last, self.last_at) = (later.last, later.last_at);
        }
    }
}

/// Numbers every effect and keeps what was told of it.
#[derive(Debug)]
pub struct Ledger {
    pub start: Instant,
    /// The same moment on the clock that the servers use.
    pub start_of_day: SystemTime,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    effects: Vec<Effect>,
    calls: BTreeMap<u8, Calls>,
    popped: BTreeMap<u64, u32>,
    wrong: Vec<String>,
    errors: Errors,
    older: u64,
}

impl Ledger {
    /// Makes an empty one.
    pub fn new() -> Self {
        let (start, start_of_day) = (Instant::now(), SystemTime::now());
        Self { start, start_of_day, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the milliseconds since the start.
    pub fn now(&self) -> u32 {
        u32::try_from(self.start.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// Numbers the effects of a call that is about to be made.
    pub fn ask<const NUMBER: usize>(&self, kind: u8) -> [u64; NUMBER] {
        let effects = &mut self.lock().effects;
        std::array::from_fn(|place| {
            let is_first = place + 1 < NUMBER;
            effects.push(Effect { kind, told: Told::Pending, is_first, at: 0 });
            effects.len() as u64 - 1
        })
    }

    /// Keeps what was told of an effect.
    pub fn tell(&self, id: u64, told: Told) {
        let at = self.now();
        let place = usize::try_from(id).expect("as many as fit in memory");
        if let Some(effect) = self.lock().effects.get_mut(place) {
            (effect.told, effect.at) = (told, at);
        }
    }

    /// Counts a call that ended.
    pub fn count(&self, kind: u8, told: Told, took: Duration) {
        let mut inner = self.lock();
        let calls = inner.calls.entry(kind).or_default();
        *calls.told.entry(told).or_default() += 1;
        calls.longest = calls.longest.max(took);
    }

    /// Keeps the text of an error.
    pub fn error(&self, kind: &str, error: &Error) {
        let now = self.now();
        let text = format!("{:.1} s {kind}: {error}", f64::from(now) / 1000.0);
        let errors = &mut self.lock().errors;
        errors.number += 1;
        if errors.first.is_empty() {
            errors.first.clone_from(&text);
        }
        (errors.last, errors.last_at) = (text, now);
    }

    /// Takes the errors since this was asked before.
    pub fn take_errors(&self) -> Errors {
        std::mem::take(&mut self.lock().errors)
    }

    /// Keeps an answer that cannot be right.
    pub fn wrong(&self, what: String) {
        let at = f64::from(self.now()) / 1000.0;
        let wrong = &mut self.lock().wrong;
        // A fault that makes one makes thousands.
        if wrong.len() < 1_000 {
            wrong.push(format!("{at:.1} s {what}"));
        }
    }

    /// Counts a value that was overwritten by an older one, of a call that may be repeated or was in doubt.
    pub fn older(&self) {
        self.lock().older += 1;
    }

    /// Keeps an element that was taken from a queue.
    pub fn pop(&self, id: u64) {
        *self.lock().popped.entry(id).or_default() += 1;
    }

    /// Returns all effects, by number.
    pub fn effects(&self) -> Vec<Effect> {
        self.lock().effects.clone()
    }

    /// Returns the calls of each kind.
    pub fn calls(&self) -> BTreeMap<u8, Calls> {
        self.lock().calls.clone()
    }

    /// Returns how often each element was taken.
    pub fn popped(&self) -> BTreeMap<u64, u32> {
        self.lock().popped.clone()
    }

    /// Returns the answers that cannot be right.
    pub fn wrongs(&self) -> Vec<String> {
        self.lock().wrong.clone()
    }

    /// Returns how often an older value came back.
    pub fn olders(&self) -> u64 {
        self.lock().older
    }

    /// Returns the bytes that the ledger holds.
    pub fn size(&self) -> usize {
        let inner = self.lock();
        inner.effects.capacity() * size_of::<Effect>() + inner.popped.len() * 48
    }
}
