//! Keys that only one task writes: what it reads is what it wrote last, or what was in doubt.

use std::collections::BTreeSet;

use fred::interfaces::FredResult;

use crate::{
    calls::{Caller, Loadable},
    kind::Kind,
    ledger::Told,
};

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

impl<C: Loadable> Caller<C> {
    /// Sets the key to the next value, and reads it.
    pub async fn set(&mut self, kind: Kind, which: usize) -> Told {
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
}
