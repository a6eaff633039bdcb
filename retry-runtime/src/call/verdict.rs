use super::error_type::ErrorType;
use crate::{
    clock::outcome::{Outcome, Unsuccessful},
    failure::{GiveUpReason, aborted::Aborted},
    policy::{NoRetry, RetryDelay},
};

/// The error type of what is kept of an attempt.
pub(crate) type ErrorIn<K> = <<K as Unsuccessful>::Outcome as Outcome>::Error;

/// An outcome to return; or a failure, and the type of its error.
pub(crate) type Finished<O, K> = Result<O, (Failed<K>, ErrorType<<O as Outcome>::Error>)>;

/// An attempt that did not succeed.
#[derive(Debug)]
pub struct Failed<K> {
    pub(crate) kept: K,
    pub(crate) aborted: Option<Aborted>,
}

/// What follows a failed attempt in a call with hooks.
#[derive(Debug)]
pub enum Verdict<K> {
    /// The failure to return, and the reason.
    GiveUp(Over<K>),
    /// The failure to repair, and the delay that follows.
    Retry(Retrying<K>),
}

/// A failure that is not retried.
#[derive(Debug)]
pub struct Over<K> {
    pub(crate) kept: K,
    pub(crate) stop: NoRetry,
    pub(crate) aborted: Option<Aborted>,
}

/// A failure that is retried.
#[derive(Debug)]
pub struct Retrying<K> {
    pub(crate) kept: K,
    pub(crate) pause: RetryDelay,
    pub(crate) aborted: Option<Aborted>,
}

impl<K> Retrying<K> {
    /// Returns the delay that follows.
    pub fn pause(&self) -> RetryDelay {
        self.pause
    }

    /// Gives up instead.
    pub fn stop(self, reason: GiveUpReason) -> Over<K> {
        let Self { kept, pause, aborted } = self;
        Over { kept, stop: pause.stop(reason), aborted }
    }
}

impl<K: Unsuccessful> Over<K> {
    /// Returns what the caller gets.
    pub fn into_outcome(self) -> K::Outcome {
        self.kept.into_outcome()
    }
}
