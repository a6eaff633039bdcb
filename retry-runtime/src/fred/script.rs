//! Scripts that are loaded when they are needed.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::fred::{
    bytes_utils::Str,
    error::Error,
    interfaces::{ClientLike, FredResult},
    types::{ClusterHash, CustomCommand, FromValue, MultipleKeys, MultipleValues, Value},
};

use super::{
    ErrorClass,
    client::{Direct, Once},
    commands::{Command, Commands, Errors, Sender, once},
    judge::Failed,
    replay::Replay,
    target::Target,
};
use crate::{policy::Idempotence, testing};

/// The last of the hash slots of a cluster.
const LAST_SLOT: u16 = 16_383;

/// A Lua script, sent by its hash, and by its text to a server that does not know it.
///
/// What a repeat does is the author's to say; one that is not declared idempotent is not sent again after an unknown
/// outcome.
///
/// ```no_run
/// use fred::prelude::*;
/// use retry_runtime::{fred::{RetryClient, Script}, policy::Idempotence};
///
/// # async fn example(client: RetryClient) -> FredResult<()> {
/// let raise = Script::new(
///     "local highest = tonumber(redis.call('GET', KEYS[1]) or '-inf')
///      if highest < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end",
///     Idempotence::Idempotent,
/// );
/// client.run_script::<(), _, _>(&raise, "highest", 7).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Script {
    code: Str,
    idempotence: Idempotence,
    /// The hash, which the first server tells that loads the script.
    hash: Arc<OnceLock<Str>>,
}

impl Script {
    /// Makes a script from its text.
    pub fn new(code: impl Into<Str>, idempotence: Idempotence) -> Self {
        Self { code: code.into(), idempotence, hash: Arc::default() }
    }
}

impl<C: Target> Commands<Direct<'_, C>> {
    /// Runs a script; a server that does not know it gets its text, which uses up no retry.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or why the arguments or the reply do not convert.
    /// An error of the script itself may come after a part of it was done, and is not retried unless the script is
    /// idempotent and the policy names the error.
    pub async fn run_script<R, K, V>(&self, script: &Script, keys: K, args: V) -> FredResult<R>
    where
        R: FromValue,
        K: Into<MultipleKeys> + Send,
        V: TryInto<MultipleValues> + Send,
        V::Error: Into<Error> + Send,
    {
        let words = words(keys.into(), args.try_into().map_err(Into::into)?);
        let replay = match script.idempotence {
            Idempotence::Idempotent => Replay::Idempotent,
            Idempotence::NotIdempotent => Replay::Opaque,
        };
        let direct = self.sender();
        let place = place(&words, || direct.settings.is_clustered);
        let slot = direct.slot(|| place.hash(&[]));
        let command = Command { slot, ..Command::of_user("script", replay) };
        let may_repeat = direct.consent.covers(replay);
        let attempt = |client| run(client, script, &words, &place, may_repeat);
        direct.run(command, attempt).await?.convert()
    }
}

/// Returns the words after the script: the number of keys, the keys, the arguments.
pub(super) fn words(keys: MultipleKeys, args: MultipleValues) -> Vec<Value> {
    let keys = keys.inner();
    let mut words = vec![Value::Integer(i64::try_from(keys.len()).unwrap_or(i64::MAX))];
    words.extend(keys.into_iter().map(Value::from));
    match args {
        Value::Array(args) => words.extend(args),
        Value::Null => {}
        arg => words.push(arg),
    }
    words
}

async fn run<C: Target>(
    client: Once<C>,
    script: &Script,
    words: &[Value],
    place: &ClusterHash,
    may_repeat: bool,
) -> Result<Value, Failed> {
    if let Some(hash) = script.hash.get() {
        match send(&client, "EVALSHA", hash, words, place).await {
            // `EVAL` reaches the same node and loads it there.
            Err(error)
                if ErrorClass::NO_SCRIPT.matches(&error)
                    && (may_repeat || is_missing(&client, hash, place).await) => {}
            result => return Ok(result?),
        }
    } else {
        let load = CustomCommand::new_static("SCRIPT", place.clone(), false);
        let load_words = vec![Value::from("LOAD"), Value::String(script.code.clone())];
        // Loading it does no harm, however often.
        let hash: Str = client.custom(load, load_words).await.map_err(Failed::Open)?;
        let _ = script.hash.set(hash);
    }
    Ok(send(&client, "EVAL", &script.code, words, place).await?)
}

/// Returns where a script is sent, from the words that follow it: to its first key, or anywhere, but on a cluster always
/// to the same node.
fn place(words: &[Value], is_clustered: impl FnOnce() -> bool) -> ClusterHash {
    match words.get(1) {
        Some(key) if words.first() != Some(&Value::Integer(0)) => ClusterHash::FirstKey
            .hash(std::slice::from_ref(key))
            .map_or(ClusterHash::Random, ClusterHash::Custom),
        _ if is_clustered() => ClusterHash::Custom(testing::with_random(|random| {
            let slots = Duration::ZERO..=Duration::from_nanos(u64::from(LAST_SLOT));
            u16::try_from(random.between(slots).as_nanos()).unwrap_or(LAST_SLOT)
        })),
        _ => ClusterHash::Random,
    }
}

/// Asks the server that answered `NOSCRIPT` whether it does not know the script: then it did not run it.
///
/// A script that ran and made up that answer, and also one that another client has loaded since, is there; and then
/// nobody knows.
pub(super) async fn is_missing<C: ClientLike>(client: &C, hash: &Str, place: &ClusterHash) -> bool {
    if client.is_clustered() && !matches!(place, ClusterHash::Custom(_)) {
        return false;
    }
    let exists = CustomCommand::new_static("SCRIPT", place.clone(), false);
    let words = vec![Value::from("EXISTS"), Value::String(hash.clone())];
    let known: FredResult<Vec<i64>> = client.custom(exists, words).await;
    known.is_ok_and(|known| known == [0])
}

async fn send<C: Target>(
    client: &Once<C>,
    command: &'static str,
    script: &Str,
    words: &[Value],
    place: &ClusterHash,
) -> FredResult<Value> {
    let mut all = vec![Value::String(script.clone())];
    all.extend(words.iter().cloned());
    let command = CustomCommand::new_static(command, place.clone(), false);
    once(client, Errors::Own, command, all).await
}
