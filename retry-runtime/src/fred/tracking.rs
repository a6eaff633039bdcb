//! Client-side caching that outlives its connection.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

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
#[derive(Default)]
pub(super) struct Tracker(Mutex<Option<Tracking>>);

/// The task that starts tracking, and what spawns another when that ended with its runtime.
struct Tracking {
    task: Abort,
    spawn: Box<dyn Fn(Begin) -> Abort + Send>,
}

/// What a task that starts tracking finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// A connection on which tracking has started.
    Tracked,
    /// Another one, made while nobody listened.
    Untracked,
}

impl fmt::Debug for Tracker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tracker").field(&self.lock().is_some()).finish()
    }
}

impl Tracker {
    /// Starts tracking with `start` on every connection that is made from now on.
    pub(super) fn keep<C, F, Fut>(&self, client: C, start: F)
    where
        C: ClientLike + 'static,
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<()>> + Send,
    {
        let start = Arc::new(start);
        let spawn = Box::new(move |begin| spawn(client.clone(), begin, Arc::clone(&start)));
        *self.lock() = Some(Tracking { task: spawn(Begin::Tracked), spawn });
    }

    /// Starts tracking on the connection that there is, if whoever did so ended with its runtime.
    pub(super) fn resume(&self) {
        if let Some(tracking) = &mut *self.lock()
            && tracking.task.is_finished()
        {
            tracking.task = (tracking.spawn)(Begin::Untracked);
        }
    }

    /// Leaves new connections as they are.
    pub(super) fn stop(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tracking>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn<C, F, Fut>(client: C, begin: Begin, start: Arc<F>) -> Abort
where
    C: ClientLike + 'static,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = FredResult<()>> + Send,
{
    let notifications = &client.inner().notifications;
    let events = Events {
        errors: notifications.errors.load().subscribe(),
        connects: notifications.connect.load().subscribe(),
        changes: notifications.cluster_change.load().subscribe(),
    };
    let task = tokio::spawn(async move {
        follow(client, events, begin, &*start).await;
        Ok(())
    });
    Abort::new(&task)
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
    begin: Begin,
    start: &F,
) where
    C: ClientLike,
    E: Clone,
    R: Clone,
    S: Clone,
    F: Fn() -> Fut,
    Fut: Future<Output = FredResult<()>>,
{
    if begin == Begin::Untracked {
        track(&client, start).await;
    }
    loop {
        let (told, is_lost) = tokio::select! {
            error = events.errors.recv() => (error.map(drop), true),
            connected = events.connects.recv() => (connected.map(drop), false),
            changed = events.changes.recv() => (changed.map(drop), false),
        };
        if matches!(told, Err(RecvError::Closed)) {
            return;
        }
        if is_lost {
            invalidate_all(&client);
        } else {
            track(&client, start).await;
        }
    }
}

/// Starts tracking; nothing is heard of changes from the loss of a connection until tracking has begun on the next.
async fn track<C, F, Fut>(client: &C, start: &F)
where
    C: ClientLike,
    F: Fn() -> Fut,
    Fut: Future<Output = FredResult<()>>,
{
    invalidate_all(client);
    while start().await.is_err() {
        sleep(AGAIN).await;
    }
    invalidate_all(client);
}

/// Tells the listeners that all keys may have changed, by an invalidation without a key.
fn invalidate_all<C: ClientLike>(client: &C) {
    let inner = client.inner();
    let Some(server) = inner.config.server.hosts().into_iter().next() else { return };
    inner.notifications.broadcast_invalidation(Invalidation { keys: Vec::new(), server });
}
