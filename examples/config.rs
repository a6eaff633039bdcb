//! Policies from a TOML file, with errors that point at the line of a bad value.
//!
//! The file says how often and for how long to retry, because that differs between installations. The code says which
//! errors to retry and whether a repeat is safe, because that depends on the operation.

use std::{error, fmt, io, time::Duration};

use retry_runtime::{
    Exponential, RetryPolicy,
    fred::RetryClient,
    policy::{ByDisposition, Timed},
    retryable,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Unexpected, Visitor},
};

/// The file of a service.
const FILE: &str = r#"
[redis]
base_delay = "100ms"
max_delay = "2s"
retries = 5
attempt_timeout = "500ms"

[catalog]
retries = 1
deadline = "1m 30s"
"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(deserialize_with = "policy")]
    redis: Policy,
    #[serde(deserialize_with = "policy")]
    catalog: Policy,
}

type Policy = RetryPolicy<Exponential, ByDisposition, Timed>;

/// A policy as the file writes it; what it leaves out keeps its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetrySettings {
    base_delay: Option<HumanDuration>,
    max_delay: Option<HumanDuration>,
    factor: Option<f64>,
    retries: Option<u32>,
    attempt_timeout: Option<HumanDuration>,
    deadline: Option<HumanDuration>,
}

fn policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Policy, D::Error> {
    let settings = RetrySettings::deserialize(deserializer)?;
    let mut policy = RetryPolicy::exponential();
    if let Some(HumanDuration(delay)) = settings.base_delay {
        policy = policy.base_delay(delay);
    }
    if let Some(HumanDuration(delay)) = settings.max_delay {
        policy = policy.max_delay(delay);
    }
    if let Some(factor) = settings.factor {
        policy = policy.factor(factor);
    }
    if let Some(retries) = settings.retries {
        policy = policy.retries(retries);
    }
    // Rejects settings that contradict each other.
    policy.backoff().check().map_err(D::Error::custom)?;
    let limit =
        |time: Option<HumanDuration>| time.map_or(Duration::MAX, |HumanDuration(limit)| limit);
    Ok(policy.attempt_timeout(limit(settings.attempt_timeout)).deadline(limit(settings.deadline)))
}

/// A duration such as `"250ms"` or `"1m 30s"`.
#[derive(Debug)]
struct HumanDuration(Duration);

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = HumanDuration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(r#"a duration such as "250ms""#)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HumanDuration, E> {
        let duration = humantime::parse_duration(text);
        duration.map(HumanDuration).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

struct Catalog {
    policy: Policy,
}

impl Catalog {
    #[retryable(policy = self.policy, on_failure = |failure| println!("catalog: {failure}"))]
    async fn price(&self, _item: &str) -> io::Result<u32> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn error::Error>> {
    let settings: Settings = toml::from_str(FILE)?;
    let expected = RetryPolicy::exponential().retries(1).attempt_timeout(Duration::MAX);
    assert_eq!(settings.catalog, expected.deadline(Duration::from_secs(90)));
    let server = retry_server::Server::start()?;
    let client = RetryClient::connect_url(&server.url(), settings.redis).await?;
    println!("Redis counts {}", client.incr::<i64, _>("visits").await?);
    let catalog = Catalog { policy: settings.catalog };
    println!("the catalog: {:?}\n", catalog.price("tea").await);

    let duration = r#"expected a duration such as "250ms""#;
    for (line, mistake, expected) in [
        ("retries = 5", "retries = -1", "invalid value: integer `-1`, expected u32"),
        ("retries = 5", "max_retries = 5", "unknown field `max_retries`"),
        (r#""100ms""#, "100", &format!("invalid type: integer `100`, {duration}")),
        (r#""100ms""#, r#""100""#, &format!(r#"invalid value: string "100", {duration}"#)),
        (r#""100ms""#, r#""5s""#, "`max_delay` (2s) is below `base_delay` (5s)"),
    ] {
        let error = toml::from_str::<Settings>(&FILE.replace(line, mistake)).unwrap_err();
        println!("{error}");
        assert!(error.message().starts_with(expected), "{}", error.message());
    }
    Ok(())
}
