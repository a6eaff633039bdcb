use std::{cell::RefCell, fmt::Write as _, marker::PhantomData, sync::Once};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{self, Interest},
};

thread_local! {
    static KEPT: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// The events of the runtime on this thread, each as `field=value` and so on, until this is dropped.
///
/// All tests of a program share one subscriber: `tracing` may not ask a subscriber of one thread about an event that
/// another thread has met first.
#[derive(Debug)]
pub struct Events {
    /// Stays on the thread whose events it keeps.
    thread: PhantomData<*const ()>,
}

impl Events {
    /// Begins to keep the events of this thread.
    ///
    /// # Panics
    ///
    /// If the program has another subscriber.
    pub fn listen() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            subscriber::set_global_default(PerThread).expect("the only subscriber");
        });
        KEPT.set(Some(Vec::new()));
        Self { thread: PhantomData }
    }

    /// Takes the events since the last time.
    pub fn take(&self) -> Vec<(Level, String)> {
        KEPT.replace(Some(Vec::new())).unwrap_or_default()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        KEPT.take();
    }
}

struct PerThread;

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("retry_runtime")
}

impl Subscriber for PerThread {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) && KEPT.with_borrow(Option::is_some)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        KEPT.with_borrow_mut(|kept| {
            if let Some(kept) = kept {
                kept.push((*event.metadata().level(), text.0.trim_end().to_owned()));
            }
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("text");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value} ").expect("text");
    }
}
