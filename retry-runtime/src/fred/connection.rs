//! The connection behind a client: noticed when fred gives it up, and made anew.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use ::fred::{
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult},
    types::ConnectHandle,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

use super::{
    optimistic::{Dedicated, Idle},
    target::Target,
};

/// For how long a failure to connect answers the commands that ask for a connection too.
const RECENT: Duration = Duration::from_millis(50);

/// Longer than a command is on its way into fred's queue.
const IN_QUEUE: Duration = Duration::from_millis(5);

/// The tasks in which fred drives the connections of a client, as far as they were started here.
///
/// fred ends such a task for good when its reconnect policy gives up, when there is none, and after an `ASK`; the
/// client still says that it is connected, and commands wait for ever.
#[derive(Debug)]
pub(super) struct Connection {
    tasks: Box<[Task]>,
    /// Whether the settings of the client are refused, which looks like ended tasks.
    refused: bool,
    /// Whether the user closed the client.
    closed: AtomicBool,
    /// Held by who connects; the last failure.
    revival: Mutex<Option<(Instant, Error)>>,
    /// Connections of transactions, between two of them.
    idle: Idle,
}

/// The task that drives one part of a client.
#[derive(Debug)]
struct Task {
    has_ended: AtomicBool,
    /// How many were started here; the end of an earlier one says nothing about the last.
    started: AtomicU32,
}

/// How many connections are kept for transactions.
const MOST_IDLE: usize = 8;

impl Connection {
    /// Takes the tasks for alive; those that are not started here are never known to end.
    pub(super) fn of<C: Target>(client: &C) -> Arc<Self> {
        let refused = client.connection_config().max_command_buffer_len != 0;
        let task = || Task { has_ended: AtomicBool::new(refused), started: AtomicU32::default() };
        Arc::new(Self {
            tasks: client.parts().iter().map(|_| task()).collect(),
            refused,
            closed: AtomicBool::new(false),
            revival: Mutex::new(None),
            idle: Idle::default(),
        })
    }

    /// Tells whether no task is known to have ended.
    pub(super) fn is_up(&self) -> bool {
        self.tasks.iter().all(|task| !task.has_ended.load(Ordering::Relaxed))
    }

    /// Tells whether all tasks are known to have ended.
    fn is_down(&self) -> bool {
        self.tasks.iter().all(|task| task.has_ended.load(Ordering::Relaxed))
    }

    /// Tells whether the user closed the client.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Connects, and notices from then on when fred gives up.
    pub(super) async fn init<C: Target>(self: &Arc<Self>, client: &C) -> FredResult<ConnectHandle> {
        self.check_settings()?;
        self.closed.store(false, Ordering::Relaxed);
        // What is not connected in the end is as good as ended: the next command connects it.
        let missing = |from: usize| {
            for task in self.tasks.iter().skip(from) {
                task.has_ended.store(true, Ordering::Relaxed);
            }
        };
        let mut tasks = Vec::new();
        for (index, part) in client.parts().iter().enumerate() {
            let task = part.init().await.inspect_err(|_| missing(index))?;
            tasks.push(self.watch(index, part, task));
        }
        Ok(tokio::spawn(async move {
            for task in tasks {
                task.await??;
            }
            Ok(())
        }))
    }

    fn check_settings(&self) -> FredResult<()> {
        if !self.refused {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Config,
            "`max_command_buffer_len` must stay 0: fred 10.1 stops sending after the buffer was full once; limit the \
             number of concurrent calls instead",
        ))
    }

    /// Remembers that the user wants no connection any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Connects the parts again that have ended; one caller at a time, and the others take its result.
    ///
    /// Nothing was sent when this fails. Who finds a part that works does not wait for the others.
    pub(super) async fn revive<C: Target>(
        self: &Arc<Self>,
        client: &C,
        limit: Duration,
    ) -> FredResult<()> {
        if self.is_up() {
            return Ok(());
        }
        self.check_settings()?;
        let mut failure = match self.revival.try_lock() {
            Ok(failure) => failure,
            Err(_) if !self.is_down() => return Ok(()),
            Err(_) => timeout(limit, self.revival.lock()).await.map_err(|_| too_slow())?,
        };
        let recent = failure.as_ref().is_some_and(|(instant, _)| instant.elapsed() < RECENT);
        if !recent {
            *failure = None;
            for (index, part) in client.parts().iter().enumerate() {
                if !self.tasks[index].has_ended.load(Ordering::Relaxed) {
                    continue;
                }
                forget_dropped(part).await;
                match timeout(limit, part.init()).await {
                    Ok(Ok(task)) => {
                        self.watch(index, part, task);
                    }
                    Ok(Err(error)) => *failure = Some((Instant::now(), error)),
                    Err(_) => *failure = Some((Instant::now(), too_slow())),
                }
            }
        }
        match &*failure {
            Some((_, error)) if self.is_down() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Takes a connection that still works.
    pub(super) fn take_idle(&self) -> Option<Dedicated> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|dedicated| !dedicated.is_lost());
        idle.pop()
    }

    /// Keeps a connection on which nothing is watched and nothing on its way.
    pub(super) fn keep_idle(&self, dedicated: Dedicated) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && !self.is_closed() {
            idle.push(dedicated);
        }
    }

    /// Takes a task for alive until it ends.
    fn watch<P>(self: &Arc<Self>, index: usize, part: &P, task: ConnectHandle) -> ConnectHandle
    where
        P: ClientLike + 'static,
    {
        let (connection, part) = (Arc::clone(self), part.clone());
        let started = &self.tasks[index].started;
        let number = started.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.tasks[index].has_ended.store(false, Ordering::Relaxed);
        tokio::spawn(async move {
            let result = task.await;
            let watched = &connection.tasks[index];
            if watched.started.load(Ordering::Relaxed) != number {
                return result?;
            }
            watched.has_ended.store(true, Ordering::Relaxed);
            // Who asked before that may queue a command still, and would wait for its time to be over.
            for _ in 0..2 {
                return_queued(&part);
                sleep(IN_QUEUE).await;
            }
            result?
        })
    }
}

/// Makes fred's count of queued commands true again after a task ended.
///
/// fred 10.1 leaves in it what the task dropped, and a connection writes nothing out as long as something counts as
/// queued behind it.
async fn forget_dropped<P: ClientLike>(part: &P) {
    let first = return_queued(part);
    if first > 0 {
        // A command is counted just before it is queued; none is on that way for so long.
        sleep(IN_QUEUE).await;
        for _ in 0..first.min(return_queued(part)) {
            part.inner().counters.decr_cmd_buffer_len();
        }
    }
}

/// Returns the queued commands to their callers, as not executed, if no task is there to take them.
///
/// Tells how many still count as queued.
fn return_queued<P: ClientLike>(part: &P) -> usize {
    let inner = part.inner();
    let mut queue = inner.command_rx.write();
    // A task that runs has it.
    let Some(receiver) = queue.as_mut() else { return 0 };
    while let Ok(command) = receiver.try_recv() {
        inner.counters.decr_cmd_buffer_len();
        command.cancel();
    }
    inner.counters.read_cmd_buffer_len()
}

pub(super) fn too_slow() -> Error {
    Error::new(ErrorKind::Timeout, "The connection was not made within the time of an attempt.")
}
