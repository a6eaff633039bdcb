//! Blocking commands that find nothing.

use ::fred::{
    error::{Error, ErrorKind},
    interfaces::FredResult,
    types::{FromValue, Value},
};

const NOTHING: &str = "Nothing came while the command blocked.";

/// Tells whether an error says that a blocking command found nothing in its time: an answer, and no failure.
///
/// fred takes both for a timeout; on a client that retries they differ.
/// A reply type that has a place for nothing, such as an `Option`, takes it as that, so that only other types get the
/// error.
///
/// ```no_run
/// use retry_runtime::fred::{RetryClient, found_nothing};
///
/// # async fn example(client: RetryClient) -> Result<(), fred::error::Error> {
/// // `None` where nothing came within a second; an error if the server does not answer.
/// let job: Option<(String, String)> = client.blpop("jobs", 1.0).await?;
///
/// match client.blpop::<(String, String), _>("jobs", 1.0).await {
///     Ok((_, job)) => println!("{job}"),
///     Err(error) if found_nothing(&error) => println!("idle"),
///     Err(error) => return Err(error),
/// }
/// # drop(job);
/// # Ok(())
/// # }
/// ```
pub fn found_nothing(error: &Error) -> bool {
    *error.kind() == ErrorKind::Timeout && error.details() == NOTHING
}

/// Says that a blocking command found nothing.
pub(super) fn nothing() -> Error {
    Error::new(ErrorKind::Timeout, NOTHING)
}

/// Converts a reply; nothing becomes what the type has for it, if it has.
pub(super) fn convert<R: FromValue>(reply: FredResult<Value>) -> FredResult<R> {
    match reply {
        Ok(value) => value.convert(),
        Err(error) if found_nothing(&error) => Value::Null.convert().map_err(|_| error),
        Err(error) => Err(error),
    }
}
