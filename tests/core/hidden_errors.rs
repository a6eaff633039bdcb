//! The switch that keeps the texts of errors out of events.

use retry_runtime::{retryable, telemetry::hide_error_messages};
use retry_tests::{Events, is_alone, run_alone};

#[retryable(policy = constant(delay = "0s", retries = 1), on = |_| true)]
async fn login() -> Result<(), String> {
    Err("the password 1234 is wrong".to_owned())
}

/// Logs in and returns what the events say.
async fn told() -> String {
    let events = Events::listen();
    login().await.expect_err("always");
    events.take().into_iter().map(|(_, text)| text + "\n").collect()
}

/// The switch holds for the whole process.
#[tokio::test]
async fn the_texts_of_errors_can_be_hidden() {
    if !is_alone() {
        run_alone("hidden_errors::the_texts_of_errors_can_be_hidden");
        return;
    }
    let text = told().await;
    assert_eq!(text.matches("password").count(), 2, "{text}");
    hide_error_messages();
    let text = told().await;
    assert!(text.contains("retries_exhausted") && !text.contains("password"), "{text}");
}
