use crate::Cut;

/// What a retried operation returns: a `Result`.
///
/// A trait, so that aliases of `Result` work and anything else gets one clear error.
#[diagnostic::on_unimplemented(
    message = "`#[retryable]` needs a function that returns `Result`, found `{Self}`",
    label = "expected a `Result`",
    note = "only an `Err` can be retried; return `Result<{Self}, _>`"
)]
pub trait Outcome {
    /// The type of success.
    type Ok;
    /// The error type.
    type Error;

    /// Returns the outcome as the `Result` that it is.
    fn as_result(&self) -> Result<&Self::Ok, &Self::Error>;

    /// Returns the outcome as the `Result` that it is, by value: borrowing it would put it into memory.
    fn into_result(self) -> Result<Self::Ok, Self::Error>;

    /// Makes an outcome.
    fn from_result(result: Result<Self::Ok, Self::Error>) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Error = E;

    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    #[inline]
    fn into_result(self) -> Result<T, E> {
        self
    }

    #[inline]
    fn from_result(result: Result<T, E>) -> Self {
        result
    }
}

/// An error that can stand for a call that was cut.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot represent a call that is cut",
    label = "`{Self}` does not implement `From<Cut>`",
    note = "a call cut by `deadline`, `attempt_timeout`, `breaker` or `cancel` has no error of its own; implement `From<retry_runtime::Cut>` for `{Self}`, or remove the limit"
)]
pub trait RepresentsCut: From<Cut> {}

// Without the hint rustc names `From`, which does not say what it is for.
#[diagnostic::do_not_recommend]
impl<E: From<Cut>> RepresentsCut for E {}
