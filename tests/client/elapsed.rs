//! The time that the events of a client tell; alone, because a subscriber for one test may miss what others share.
#![allow(missing_docs)]

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use retry_runtime::{
    RetryPolicy,
    fred::RetryClient,
    testing::{Fault, FaultProxy},
};
use retry_tests::{RedisServer, redis};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps the `elapsed` of events.
#[derive(Clone, Default)]
struct Elapsed(Arc<Mutex<Vec<String>>>);

impl Visit for &Elapsed {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "elapsed" {
            self.0.lock().expect("not poisoned").push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Elapsed {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "retry_runtime"
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

/// The clock of a plain command is started with its first failure, but knows when that attempt began.
#[tokio::test]
async fn a_failure_tells_how_long_it_took() {
    let server = RedisServer::start(&[]);
    let proxy = FaultProxy::start(server.port()).await.expect("a free port");
    let limit = Duration::from_millis(200);
    let policy = RetryPolicy::constant(limit).retries(0).attempt_timeout(limit);
    let client = RetryClient::connect(redis(proxy.port()), policy).await.expect("it is up");
    proxy.inject("INCR", Fault::HoldReply, 1);
    let elapsed = Elapsed::default();
    let guard = tracing::subscriber::set_default(elapsed.clone());
    client.incr::<i64, _>("counter").await.expect_err("too slow");
    drop(guard);
    let elapsed = elapsed.0.lock().expect("not poisoned").join(" ");
    let millis: f64 = elapsed.trim_end_matches("ms").parse().expect(&elapsed);
    assert!((200.0..600.0).contains(&millis), "{elapsed}");
}
