//! Client-side caching that outlives its connection.

use std::{future::Future, sync::PoisonError, time::Duration};

use ::fred::{
    interfaces::{ClientLike, FredResult},
    types::{client::Invalidation, config::Server},
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::sleep,
};

use super::connection::Abort;

/// How long to wait after tracking could not be started.
const AGAIN: Duration = Duration::from_millis(50);

/// Starts tracking on every new connection, until it is dropped or replaced.
#[derive(Debug, Default)]
pub(super) struct Tracker(std::sync::Mutex<Option<Abort>>);

impl Tracker {
    /// Starts tracking with `start` on every connection that is made from now on.
    pub(super) fn keep<C, F, Fut>(&self, client: C, start: F)
    where
        C: ClientLike + 'static,
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = FredResult<()>> + Send,
    {
        let notifications = &client.inner().notifications;
        let events = Events {
            errors: notifications.errors.load().subscribe(),
            connects: notifications.connect.load().subscribe(),
            changes: notifications.cluster_change.load().subscribe(),
        };
        let task = tokio::spawn(async move {
            follow(client, events, start).await;
            Ok(())
        });
        self.set(Some(Abort::new(&task)));
    }

    /// Leaves new connections as they are.
    pub(super) fn stop(&self) {
        self.set(None);
    }

    fn set(&self, task: Option<Abort>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }
}

/// What fred tells of the connections of a client.
struct Events<E, C, S> {
    errors: Receiver<E>,
    connects: Receiver<C>,
    changes: Receiver<S>,
}

async fn follow<C, E, R, S, F, Fut>(
    client: C,
    mut events: Events<(E, Option<Server>), R, S>,
    start: F,
) where
    C: ClientLike,
    E: Clone,
    R: Clone,
    S: Clone,
    F: Fn() -> Fut,
    Fut: Future<Output = FredResult<()>>,
{
    loop {
        let (told, is_lost) = tokio::select! {
            error = events.errors.recv() => (error.map(drop), true),
            connected = events.connects.recv() => (connected.map(drop), false),
            changed = events.changes.recv() => (changed.map(drop), false),
        };
        if matches!(told, Err(RecvError::Closed)) {
            return;
        }
        // Nothing is heard of changes from the loss on.
        invalidate_all(&client);
        if is_lost {
            continue;
        }
        while start().await.is_err() {
            sleep(AGAIN).await;
        }
        // Nor of those before tracking began again.
        invalidate_all(&client);
    }
}

/// Tells the listeners that all keys may have changed, by an invalidation without a key.
fn invalidate_all<C: ClientLike>(client: &C) {
    let inner = client.inner();
    let Some(server) = inner.config.server.hosts().into_iter().next() else { return };
    inner.notifications.broadcast_invalidation(Invalidation { keys: Vec::new(), server });
}
