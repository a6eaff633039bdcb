use std::marker::PhantomData;

/// What a retried operation returns: a `Result`.
///
/// A trait, so that aliases of `Result` work and anything else gets one clear error.
#[diagnostic::on_unimplemented(
    message = "`#[retryable]` needs a function that returns `Result`, found `{Self}`",
    label = "expected a `Result`",
    note = "only an `Err` can be retried; return `Result<{Self}, _>`"
)]
pub trait Outcome: Unsuccessful<Outcome = Self> + Sized {
    /// The type of success.
    type Ok;
    /// The error type.
    type Error;

    /// Returns the outcome as the `Result` that it is, by value: borrowing it would put it into memory.
    fn into_result(self) -> Result<Self::Ok, Self::Error>;

    /// Creates an outcome.
    fn from_result(result: Result<Self::Ok, Self::Error>) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Error = E;

    #[inline]
    fn into_result(self) -> Result<T, E> {
        self
    }

    #[inline]
    fn from_result(result: Result<T, E>) -> Self {
        result
    }
}

/// What is kept of an attempt that did not succeed, until another begins or the call ends.
pub trait Unsuccessful {
    /// What the operation returned.
    type Outcome: Outcome;

    /// Returns its error; a value that `on_ok` retries has none.
    fn error(&self) -> Option<&<Self::Outcome as Outcome>::Error>;

    /// Returns the whole outcome.
    fn into_outcome(self) -> Self::Outcome;
}

/// With `on_ok`, a value is kept as well.
impl<T, E> Unsuccessful for Result<T, E> {
    type Outcome = Self;

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }

    fn into_outcome(self) -> Self {
        self
    }
}

/// The error of a failed attempt; without `on_ok` no value is kept, because it would have to be `Send`.
#[derive(Debug)]
pub struct ErrorOf<E, O> {
    error: E,
    outcome: PhantomData<fn() -> O>,
}

impl<E, O> ErrorOf<E, O> {
    pub(crate) fn new(error: E) -> Self {
        Self { error, outcome: PhantomData }
    }
}

impl<O: Outcome> Unsuccessful for ErrorOf<O::Error, O> {
    type Outcome = O;

    fn error(&self) -> Option<&O::Error> {
        Some(&self.error)
    }

    fn into_outcome(self) -> O {
        O::from_result(Err(self.error))
    }
}
