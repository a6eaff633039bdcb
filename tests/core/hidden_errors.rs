//! The switch that keeps the texts of errors out of events; it holds for the whole process, so it is alone here.
#![allow(missing_docs)]

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use retry_runtime::{hide_error_messages, retryable};
use tracing::{Event, Metadata, Subscriber, field::Visit, span};

#[retryable(policy = constant(delay = "0s", retries = 1), on = |_| true)]
async fn login() -> Result<(), String> {
    Err("the password 1234 is wrong".to_owned())
}

/// Keeps the events as text.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<String>>);

impl Visit for &Keep {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let mut text = self.0.lock().expect("not poisoned");
        text.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Keep {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn the_texts_of_errors_can_be_hidden() {
    let kept = Keep::default();
    let _guard = tracing::subscriber::set_default(kept.clone());
    login().await.expect_err("always");
    let text = std::mem::take(&mut *kept.0.lock().expect("not poisoned"));
    assert_eq!(text.matches("password").count(), 2, "{text}");
    hide_error_messages();
    login().await.expect_err("always");
    let text = std::mem::take(&mut *kept.0.lock().expect("not poisoned"));
    assert!(text.contains("retries_exhausted") && !text.contains("password"), "{text}");
}
