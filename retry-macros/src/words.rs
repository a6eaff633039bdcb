//! Words of other crates, and settings that stand where an argument does.

use proc_macro2::Ident;
use syn::Error;

/// The policies that the attribute knows by name.
pub(crate) const POLICIES: &[&str] = &["constant", "exponential", "composite", "never"];

/// What a word means here.
#[derive(Clone, Copy)]
enum Meaning {
    Setting(&'static str),
    Argument(&'static str),
}

use Meaning::{Argument, Setting};

const WORDS: &[(&[&str], Meaning)] = &[
    (
        &[
            "retries",
            "retry",
            "max_retries",
            "retry_count",
            "times",
            "max_times",
            "tries",
            "max_tries",
            "attempts",
            "max_attempts",
            "max_attempt",
        ],
        Setting("retries"),
    ),
    (&["delay", "interval", "fixed_delay", "wait", "sleep"], Setting("delay")),
    (
        &[
            "base_delay",
            "initial_delay",
            "initial_interval",
            "initial_backoff",
            "min_delay",
            "min_backoff",
            "base",
        ],
        Setting("base_delay"),
    ),
    (&["max_delay", "max_interval", "max_backoff"], Setting("max_delay")),
    (&["factor", "multiplier", "backoff_factor", "exponent"], Setting("factor")),
    (&["jitter", "with_jitter"], Setting("jitter")),
    (
        &[
            "deadline",
            "total_timeout",
            "total_delay",
            "max_elapsed_time",
            "max_duration",
            "max_total_delay",
        ],
        Setting("deadline"),
    ),
    (
        &["attempt_timeout", "per_attempt_timeout", "timeout_per_attempt", "try_timeout"],
        Setting("attempt_timeout"),
    ),
    (&["retry_for", "max_retry_time", "retry_timeout"], Setting("retry_for")),
    (&["max_hint"], Setting("max_hint")),
    (
        &[
            "when",
            "retry_if",
            "retry_on",
            "retry_when",
            "filter",
            "predicate",
            "condition",
            "errors",
        ],
        Argument("on"),
    ),
    (&["backoff", "strategy", "schedule", "retry_policy"], Argument("policy")),
    (
        &["on_error", "on_retry", "on_fail", "on_failed", "notify", "before_sleep"],
        Argument("on_failure"),
    ),
    (&["on_exhausted", "on_giveup", "on_abort", "on_failed_permanently"], Argument("on_give_up")),
    (&["before_attempt", "on_attempt", "before_retry"], Argument("before")),
    (&["retry_if_ok", "retry_if_result", "until"], Argument("on_ok")),
    (&["circuit_breaker"], Argument("breaker")),
    (&["token", "cancellation", "cancellation_token"], Argument("cancel")),
];

/// The limits on time, which every policy but one takes.
pub(crate) const LIMITS: &[&str] = &["deadline", "attempt_timeout", "retry_for"];

fn meaning(word: &str) -> Option<Meaning> {
    WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, meaning)| *meaning)
}

const UNLIMITED: &[&str] = &["unlimited", "infinite", "infinity", "forever"];

/// Explains the name of a policy of another crate.
pub(crate) fn as_policy(found: &Ident) -> Option<Error> {
    let policy = match found.to_string().as_str() {
        "fixed" | "fixed_interval" | "linear" | "interval" | "simple" => "constant(delay = \"1s\")",
        "fibonacci" | "backoff" | "exponential_backoff" | "random" => "exponential()",
        "none" | "no_retry" => "never()",
        _ => return None,
    };
    Some(Error::new(found.span(), format!("unknown policy `{found}`; the nearest is `{policy}`")))
}

/// Explains a word that is not a setting of a composite.
pub(crate) fn as_composite_setting(found: &Ident) -> Option<Error> {
    let word = found.to_string();
    let message = match meaning(&word) {
        Some(Setting(limit)) if LIMITS.contains(&limit) => {
            format!("unknown setting `{word}`; use `{limit}` instead")
        }
        Some(Setting(setting)) => format!(
            "`{setting}` is a setting of each member; write `composite({}, …)`",
            owner(setting)
        ),
        _ => return None,
    };
    Some(Error::new(found.span(), message))
}

/// Writes a policy with a setting.
fn owner(setting: &str) -> String {
    let policy = if setting == "delay" { "constant" } else { "exponential" };
    format!("{policy}({setting} = {})", example(setting))
}

/// Explains a word that is not an argument of the attribute.
pub(crate) fn as_argument(found: &Ident) -> Option<Error> {
    let word = found.to_string();
    if POLICIES.contains(&word.as_str()) {
        let message = format!("`{word}(…)` is a policy; write `policy = {word}(…)`");
        return Some(Error::new(found.span(), message));
    }
    let message = match meaning(&word) {
        Some(Setting(setting)) if setting == "retries" || LIMITS.contains(&setting) => {
            format!("unknown argument `{word}`; use `{setting}` instead{}", counted(&word))
        }
        Some(Setting(setting)) => {
            let named = if word == setting {
                format!("`{word}` is")
            } else {
                format!("`{word}` is called `{setting}` here and is")
            };
            format!("{named} a setting of the policy; write `policy = {}`", owner(setting))
        }
        Some(Argument(argument)) => format!("unknown argument `{word}`; use `{argument}` instead"),
        None if UNLIMITED.contains(&word.as_str()) => {
            "write `retries = unlimited` to retry without a limit".to_owned()
        }
        None if word == "timeout" => format!("unknown argument {TIMEOUT}"),
        None => return None,
    };
    Some(Error::new(found.span(), message))
}

const TIMEOUT: &str =
    "`timeout`; write `deadline` for the whole call or `attempt_timeout` for one attempt";

/// Explains a word that is not a setting of a policy.
pub(crate) fn as_setting(found: &Ident, known: &[&str]) -> Option<Error> {
    let word = found.to_string();
    let message = match meaning(&word) {
        Some(Setting("delay")) if known.contains(&"base_delay") => {
            format!("unknown setting `{word}`; the first delay of `exponential` is `base_delay`")
        }
        Some(Setting("base_delay")) if known.contains(&"delay") => {
            format!("unknown setting `{word}`; the delay of `constant` is `delay`")
        }
        Some(Setting(setting)) if known.contains(&setting) => {
            format!("unknown setting `{word}`; use `{setting}` instead{}", counted(&word))
        }
        Some(Setting(setting)) if word == setting => return None,
        Some(Argument("on")) => format!("unknown setting `{word}`; use `on` instead"),
        Some(Argument(argument)) => format!(
            "`{word}` is not a setting of the policy; write `#[retryable(policy = …, {argument} = …)]`"
        ),
        None if UNLIMITED.contains(&word.as_str()) => {
            "write `retries = unlimited` to retry without a limit".to_owned()
        }
        None if word == "timeout" => format!("unknown setting {TIMEOUT}"),
        _ => return None,
    };
    Some(Error::new(found.span(), message))
}

fn counted(word: &str) -> &'static str {
    if word.contains("attempt") || word.contains("tries") && !word.contains("retries") {
        ", which counts the attempts after the first"
    } else {
        ""
    }
}

fn example(setting: &str) -> &'static str {
    match setting {
        "retries" => "3",
        "factor" => "2",
        "jitter" => "full",
        "deadline" => "\"30s\"",
        "max_delay" => "\"5s\"",
        _ => "\"1s\"",
    }
}
