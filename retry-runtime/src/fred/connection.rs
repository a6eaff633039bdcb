//! The connections behind a client: noticed when they are lost, left when they are silent, made again when fred does
//! not.

use std::{
    fmt,
    sync::{
        Arc, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult},
    types::{
        ClientState, ConnectHandle,
        config::{ReconnectPolicy, Server},
    },
};
use tokio::{
    sync::{Mutex, Notify, futures::OwnedNotified, watch},
    task::AbortHandle,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    link::{Link, Standing, unconnected},
    optimistic::{Dedicated, Idle},
    pulse::{Flight, Patience, Pulse},
    target::Target,
    watch::{follow, named, servers},
};

/// For how long a failure to connect answers the commands that ask for a connection too.
const RECENT: Duration = Duration::from_millis(50);

/// Longer than a command is on its way into fred's queue.
const IN_QUEUE: Duration = Duration::from_millis(5);

/// How long making a connection may take, however short the attempts are that wait for it.
pub(super) const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How many connections are kept for transactions.
const MOST_IDLE: usize = 8;

/// The connections of a client: one, or one for each member of a pool.
///
/// fred ends the task that drives a connection for good when its reconnect policy gives up, when there is none, and
/// after an `ASK`; the client still says that it is connected, and commands wait without end.
/// It also does not leave a connection that is silent as long as commands are written to it.
#[derive(Debug)]
pub(super) struct Connection {
    parts: Box<[Part]>,
    /// How many parts are not up, so that a command on a client that is well looks at one number.
    troubled: AtomicUsize,
    /// The member of a pool that the last attempt was made on.
    turn: AtomicU64,
    /// Wakes the calls that wait for a connection.
    back: Arc<Notify>,
    /// Whether the settings of the client are refused, which looks like ended tasks.
    refused: bool,
    /// Whether the user closed the client.
    closed: AtomicBool,
    /// Whether the connection holds what another would not, such as watches, so that it is never replaced.
    is_dedicated: bool,
    /// Whether the client waits for what the server sends, so that silence is no sign by itself.
    pub(super) listens: bool,
    /// Connections of transactions, between two of them.
    idle: Idle,
    /// Starts client-side caching on new connections.
    #[cfg(feature = "i-tracking")]
    pub(super) tracker: super::tracking::Tracker,
}

/// What is known of one connection, and what fred drives it with.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) link: Link,
    pub(super) pulse: Pulse,
    /// How many blocking commands hold the connection.
    blocking: AtomicU32,
    /// Held while the connection is made.
    revival: Mutex<()>,
    /// Why it was not made the last time.
    failure: std::sync::Mutex<Option<(Instant, Error)>>,
    /// Wakes the calls that wait for the result.
    tried: Notify,
    /// How many tasks were started here; the end of an earlier one says nothing about the last.
    started: AtomicU32,
    /// fred's task, if it was started here.
    driver: std::sync::Mutex<Option<AbortHandle>>,
    /// Follows what fred tells of the connection.
    follower: std::sync::Mutex<Option<AbortHandle>>,
    /// How the last task ended, once nothing follows it.
    ended: watch::Sender<Option<FredResult<()>>>,
    /// When the connection was last left because of an answer, and how long it is to stay until the next time.
    renewal: std::sync::Mutex<Option<(Instant, Duration)>>,
}

impl Part {
    fn failure(&self) -> MutexGuard<'_, Option<(Instant, Error)>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new() -> Self {
        Self {
            link: Link::default(),
            pulse: Pulse::default(),
            blocking: AtomicU32::new(0),
            revival: Mutex::default(),
            failure: std::sync::Mutex::default(),
            tried: Notify::new(),
            started: AtomicU32::new(0),
            driver: std::sync::Mutex::default(),
            follower: std::sync::Mutex::default(),
            ended: watch::channel(None).0,
            renewal: std::sync::Mutex::default(),
        }
    }
}

impl Connection {
    /// Takes the connections for good; the tasks of those that are not started here are never known to end.
    pub(super) fn of<C: Target>(client: &C) -> Arc<Self> {
        Arc::new(Self::new(client))
    }

    /// Takes the connection of a transaction, which is used up when it is lost.
    pub(super) fn dedicated(client: &Client) -> Arc<Self> {
        let mut connection = Self::new(client);
        connection.is_dedicated = true;
        Arc::new(connection)
    }

    fn new<C: Target>(client: &C) -> Self {
        let refused = client.connection_config().max_command_buffer_len != 0;
        let parts = client.parts().iter().map(|_| Part::new()).collect::<Box<[_]>>();
        if refused {
            for part in &parts {
                part.link.set_aside("the server", &refusal());
            }
        }
        Self {
            troubled: AtomicUsize::new(if refused { parts.len() } else { 0 }),
            parts,
            turn: AtomicU64::new(0),
            back: Arc::default(),
            refused,
            closed: AtomicBool::new(false),
            is_dedicated: false,
            listens: C::LISTENS,
            idle: Idle::default(),
            #[cfg(feature = "i-tracking")]
            tracker: super::tracking::Tracker::default(),
        }
    }

    /// Counts a command that goes out.
    #[inline]
    pub(super) fn depart(&self, index: usize, patience: Patience) -> Flight<'_> {
        self.parts[index].pulse.depart(index, patience)
    }

    /// Counts a command that blocks the connection, until the guard is dropped.
    pub(super) fn block(&self, index: usize, blocks: bool) -> Option<Blocking<'_>> {
        let blocking = &self.parts[index].blocking;
        blocks.then(|| {
            blocking.fetch_add(1, Ordering::Relaxed);
            Blocking(blocking)
        })
    }

    pub(super) fn part(&self, index: usize) -> &Part {
        &self.parts[index]
    }

    /// Tells whether there is one connection alone.
    pub(super) fn is_single(&self) -> bool {
        self.parts.len() == 1
    }

    /// Chooses the connection of an attempt, if one is up: the next that nothing blocks, or else the next that is up.
    #[inline]
    pub(super) fn choose(&self) -> Option<usize> {
        if self.is_single() {
            return self.parts[0].link.is_up().then_some(0);
        }
        self.choose_member()
    }

    fn choose_member(&self) -> Option<usize> {
        // The golden ratio spreads calls of several kinds that take turns, too; counting up would give each kind the
        // same few members.
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let turn = self.turn.fetch_add(STEP, Ordering::Relaxed);
        let count = self.parts.len();
        let first = (((turn >> 32) * count as u64) >> 32) as usize;
        let members = (first..count).chain(0..first);
        let mut blocked = None;
        for index in members {
            let part = &self.parts[index];
            if !part.link.is_up() {
                continue;
            }
            if part.blocking.load(Ordering::Relaxed) == 0 {
                return Some(index);
            }
            blocked = blocked.or(Some(index));
        }
        blocked
    }

    /// Tells whether a connection is to be made that nobody makes: that of a member of a pool.
    #[inline]
    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed) > 0
    }

    /// Tells whether the user closed the client.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Notes that a connection is lost.
    pub(super) fn lose(
        &self,
        index: usize,
        standing: Standing,
        server: impl fmt::Display,
        cause: &Error,
    ) {
        if self.parts[index].link.lose(standing, server, cause) {
            self.troubled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes without a word that there is no connection.
    fn set_aside(&self, index: usize, server: &str, cause: &Error) {
        if self.parts[index].link.set_aside(server, cause) {
            self.troubled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that a connection is there.
    pub(super) fn restore(&self, index: usize) {
        if self.parts[index].link.restore() {
            self.troubled.fetch_sub(1, Ordering::Relaxed);
            self.back.notify_waiters();
        }
    }

    /// Waits until a connection is back that was lost.
    pub(super) fn is_back(&self) -> OwnedNotified {
        // From here on, so that one that is back before the first poll is not missed.
        Arc::clone(&self.back).notified_owned()
    }

    /// Connects, and notices from then on when fred gives up.
    pub(super) async fn init<C: Target>(self: &Arc<Self>, client: &C) -> FredResult<ConnectHandle> {
        self.check_settings()?;
        self.closed.store(false, Ordering::Relaxed);
        let mut ends = Vec::new();
        for (index, part) in client.parts().iter().enumerate() {
            match part.init().await {
                Ok(task) => self.drive(index, part, task),
                Err(error) => {
                    // What is not connected in the end is as good as ended: the next command connects it.
                    for (index, part) in client.parts().iter().enumerate().skip(index) {
                        self.set_aside(index, &servers(part), &error);
                    }
                    return Err(named(&error, part));
                }
            }
            ends.push(self.parts[index].ended.subscribe());
        }
        Ok(tokio::spawn(async move {
            for mut end in ends {
                // The sender is dropped with the last client: then nobody will ever know.
                let ended = end.wait_for(Option::is_some).await.map_or(None, |ended| ended.clone());
                ended.unwrap_or(Ok(()))?;
            }
            Ok(())
        }))
    }

    fn check_settings(&self) -> FredResult<()> {
        if self.refused { Err(refusal()) } else { Ok(()) }
    }

    /// Remembers that the user wants no connection any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.back.notify_waiters();
        self.forget_idle();
    }

    /// Notes that fred closed the connections, also those that were not made here, so that no command goes out.
    pub(super) fn note_closed<C: Target>(&self, client: &C) {
        for (index, part) in client.parts().iter().enumerate().filter(|_| self.is_closed()) {
            self.set_aside(index, &servers(part), &closed());
        }
    }

    /// Notes the connections of a closed client that its user made again with fred alone.
    pub(super) fn reopen<C: Target>(&self, client: &C) {
        for (index, part) in client.parts().iter().enumerate() {
            if part.state() == ClientState::Connected && self.standing(index) == Standing::Ended {
                self.closed.store(false, Ordering::Relaxed);
                self.restore(index);
            }
        }
    }

    /// Waits for a connection until there is one, and makes it where nobody else does; tells which.
    ///
    /// Nothing is sent when this fails.
    pub(super) async fn wait<C: Target>(
        self: &Arc<Self>,
        client: &C,
        limit: Duration,
    ) -> FredResult<usize> {
        self.check_settings()?;
        let end = Instant::now() + limit;
        loop {
            let back = self.back.notified();
            if let Some(index) = self.choose() {
                return Ok(index);
            }
            if self.is_closed() {
                return Err(closed());
            }
            let ended =
                (0..self.parts.len()).find(|index| self.standing(*index) == Standing::Ended);
            let Some(index) = ended else {
                let explain = |_| self.parts[0].link.explain();
                timeout_at(end, back).await.map_err(explain)?;
                continue;
            };
            let this = &self.parts[index];
            let tried = this.tried.notified();
            self.mend(client);
            timeout_at(end, tried).await.map_err(|_| this.link.explain())?;
            if let (Standing::Ended, Some((_, error))) = (this.link.standing(), &*this.failure()) {
                return Err(error.clone());
            }
        }
    }

    fn standing(&self, index: usize) -> Standing {
        self.parts[index].link.standing()
    }

    /// Makes the connections again that have ended, in the background and each once, whatever becomes of the caller:
    /// it may take longer than an attempt.
    #[cold]
    pub(super) fn mend<C: Target>(self: &Arc<Self>, client: &C) {
        for (index, part) in client.parts().into_iter().enumerate() {
            let is_free = self.parts[index].revival.try_lock().is_ok();
            if is_free && self.standing(index) == Standing::Ended && !self.is_closed() {
                let connection = Arc::clone(self);
                tokio::spawn(async move { connection.revive(index, &part).await });
            }
        }
    }

    /// Notes that a task of fred which was not started here is gone: its runtime has ended, or its user aborted it.
    ///
    /// Without a word that somebody makes the connection again, so the next attempt does.
    pub(super) fn abandon<P: ClientLike>(&self, index: usize, part: &P) {
        let this = &self.parts[index];
        let is_ours = this.driver.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if this.link.is_up() && !is_ours && !self.is_dedicated {
            self.lose(index, Standing::Ended, servers(part), &runtime_ended());
        }
    }

    /// Makes a connection again that has ended.
    async fn revive<P: ClientLike + 'static>(self: &Arc<Self>, index: usize, part: &P) {
        let this = &self.parts[index];
        let alone = this.revival.lock().await;
        let is_recent = |(instant, _): &(Instant, Error)| instant.elapsed() < RECENT;
        if self.standing(index) == Standing::Ended
            && !this.failure().as_ref().is_some_and(is_recent)
        {
            self.stop(index, part).await;
            if let Err(error) = self.start(index, part, LONGEST_CONNECT).await {
                self.lose(index, Standing::Ended, servers(part), &error);
                let error = unconnected(&error, &servers(part));
                *this.failure() = Some((Instant::now(), error));
            }
        }
        drop(alone);
        this.tried.notify_waiters();
    }

    /// Leaves a connection at once, and makes another one for as long as fred's reconnect policy says.
    ///
    /// What is on its way ends with an unknown outcome.
    pub(super) fn leave<P>(self: &Arc<Self>, index: usize, part: P, cause: &Error, limit: Duration)
    where
        P: ClientLike + 'static,
    {
        if self.standing(index) == Standing::Up && !self.is_closed() && !self.is_dedicated {
            self.lose(index, Standing::Down, servers(&part), cause);
            let connection = Arc::clone(self);
            tokio::spawn(async move { connection.replace(index, &part, limit).await });
        }
    }

    /// Starts fred's task again that is at one try to connect for too long; not on a cluster, where it may be on its way
    /// through the nodes.
    pub(super) fn hurry<P>(self: &Arc<Self>, index: usize, part: &P, limit: Duration)
    where
        P: ClientLike + 'static,
    {
        let this = &self.parts[index];
        let is_ours = this.driver.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_ours && !part.is_clustered() && this.revival.try_lock().is_ok() && !self.is_closed() {
            let (connection, part) = (Arc::clone(self), part.clone());
            tokio::spawn(async move { connection.replace(index, &part, limit).await });
        }
    }

    async fn replace<P>(self: &Arc<Self>, index: usize, part: &P, mut limit: Duration)
    where
        P: ClientLike + 'static,
    {
        let _alone = self.parts[index].revival.lock().await;
        let is_ours = self.stop(index, part).await;
        // The task is another's, and does it; on a cluster it would keep the connections that it takes for good.
        if !is_ours
            && !part.is_clustered()
            && let Ok(Ok(())) = timeout(LONGEST_CONNECT, part.force_reconnection()).await
        {
            return self.restore(index);
        }
        let mut policy = part.client_reconnect_policy();
        // On a cluster fred goes from address to address by itself, and the first may be that of a node that hangs.
        let least = if part.is_clustered() {
            2 * part.connection_config().internal_command_timeout
        } else {
            Duration::ZERO
        };
        loop {
            let Err(error) = self.start(index, part, limit.max(least)).await else { return };
            // Sentinels name a server that hangs until they have found another, so the first times are short.
            limit = (2 * limit).min(LONGEST_CONNECT);
            let delay = policy.as_mut().and_then(ReconnectPolicy::next_delay);
            // Only this one is left of all the clients.
            let is_forgotten = Arc::strong_count(self) == 1;
            let (Some(delay), false) = (delay, is_forgotten || self.is_closed()) else {
                return self.lose(index, Standing::Ended, servers(part), &error);
            };
            self.lose(index, Standing::Down, servers(part), &error);
            sleep(Duration::from_millis(delay)).await;
        }
    }

    /// Leaves a connection to a server that answered as one that is not the right one any more, at most once per delay
    /// of the reconnect policy, which grows while that does not help.
    pub(super) fn renew<P>(self: &Arc<Self>, index: usize, part: P, cause: &Error)
    where
        P: ClientLike + 'static,
    {
        const FIRST: Duration = Duration::from_millis(100);
        const LONGEST: Duration = Duration::from_secs(5);
        let mut renewal = self.parts[index].renewal.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let delay = match *renewal {
            Some((before, delay)) if now.duration_since(before) < delay => return,
            Some((before, delay)) if now.duration_since(before) < 2 * LONGEST => {
                (2 * delay).min(LONGEST)
            }
            _ => FIRST,
        };
        *renewal = Some((now, delay));
        drop(renewal);
        self.leave(index, part, cause, LONGEST_CONNECT);
    }

    /// Starts fred's task and waits for the connection.
    async fn start<P>(self: &Arc<Self>, index: usize, part: &P, limit: Duration) -> FredResult<()>
    where
        P: ClientLike + 'static,
    {
        let mut connected = part.inner().notifications.connect.load().subscribe();
        let task = part.connect();
        // Aborted with the caller, a task would go on to connect, and nobody would know of it.
        let mut guard = Abort::new(&task);
        let result = match timeout(limit, connected.recv()).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::new(ErrorKind::Canceled, "Canceled. The client was closed.")),
            Err(_) => Err(too_slow()),
        };
        result?;
        guard.0 = None;
        self.drive(index, part, task);
        Ok(())
    }

    /// Ends fred's task and makes its count of queued commands true again; tells whether it was started here.
    async fn stop<P: ClientLike>(&self, index: usize, part: &P) -> bool {
        let this = &self.parts[index];
        let Some(driver) = this.driver.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return false;
        };
        this.started.fetch_add(1, Ordering::Relaxed);
        driver.abort();
        while !driver.is_finished() {
            sleep(Duration::from_millis(1)).await;
        }
        forget_dropped(part).await;
        true
    }

    /// Takes a task for alive until it ends.
    fn drive<P>(self: &Arc<Self>, index: usize, part: &P, task: ConnectHandle)
    where
        P: ClientLike + 'static,
    {
        let this = &self.parts[index];
        let number = this.started.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        *this.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        this.ended.send_replace(None);
        self.restore(index);
        self.follow(index, part);
        let connection = Arc::downgrade(self);
        let mut ending =
            Ending { connection, index, number, servers: servers(part), is_noted: false };
        let part = part.clone();
        tokio::spawn(async move {
            let result = task.await.unwrap_or_else(|error| {
                Err(Error::new(ErrorKind::Canceled, format!("Canceled. {error}")))
            });
            if ending.note(&result) {
                // A command that was let through before may be queued still, and would wait for its time to be over.
                for _ in 0..2 {
                    return_queued(&part);
                    sleep(IN_QUEUE).await;
                }
            }
        });
    }

    /// Follows from now on what fred tells of a connection, also of one that was made before the client was wrapped;
    /// tells whether nobody did before.
    pub(super) fn follow<P>(self: &Arc<Self>, index: usize, part: &P) -> bool
    where
        P: ClientLike + 'static,
    {
        let mut follower =
            self.parts[index].follower.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = follower.as_ref().is_none_or(AbortHandle::is_finished);
        if begins {
            let following = follow(Arc::downgrade(self), index, part);
            *follower = Some(tokio::spawn(following).abort_handle());
            #[cfg(feature = "i-tracking")]
            self.tracker.resume();
        }
        begins
    }

    /// Takes a connection that still works, on a cluster one to a node.
    pub(super) fn take_idle(&self, node: Option<&Server>) -> Option<Dedicated> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|dedicated| !dedicated.is_lost());
        let place = idle.iter().rposition(|dedicated| dedicated.node.as_ref() == node)?;
        Some(idle.remove(place))
    }

    /// Closes the connections between two transactions: new ones may lead to another server.
    pub(super) fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Keeps a connection on which nothing is watched and nothing on its way.
    pub(super) fn keep_idle(&self, dedicated: Dedicated) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_closed() {
            return;
        }
        if idle.len() == MOST_IDLE {
            // The one that was left over for the longest time: nobody may want its node any more.
            idle.remove(0);
        }
        idle.push(dedicated);
    }
}

/// What follows fred's events ends with the last client.
impl Drop for Connection {
    fn drop(&mut self) {
        for part in &self.parts {
            let follower = part.follower.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(follower) = &*follower {
                follower.abort();
            }
        }
    }
}

/// What commands answer after `quit`; without another `init` they always will.
pub(super) const CLOSED: &str = "Canceled. The client was closed by `quit`.";

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Canceled, CLOSED)
}

/// A command that blocks its connection.
pub(super) struct Blocking<'a>(&'a AtomicU32);

impl Drop for Blocking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refusal() -> Error {
    Error::new(
        ErrorKind::Config,
        "`max_command_buffer_len` must stay 0: fred 10.1 stops sending after the buffer was full once; limit the \
         number of concurrent calls instead",
    )
}

/// Aborts a task when it is dropped.
#[derive(Debug)]
pub(super) struct Abort(Option<AbortHandle>);

impl Abort {
    pub(super) fn new(task: &ConnectHandle) -> Self {
        Self(Some(task.abort_handle()))
    }

    /// Tells whether the task has ended.
    #[cfg(feature = "i-tracking")]
    pub(super) fn is_finished(&self) -> bool {
        self.0.as_ref().is_some_and(AbortHandle::is_finished)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Notes the end of fred's task; also when it is dropped, because the runtime that ran both has ended.
struct Ending {
    connection: Weak<Connection>,
    index: usize,
    number: u32,
    servers: String,
    is_noted: bool,
}

impl Ending {
    /// Tells whether no other task was started meanwhile.
    fn note(&mut self, result: &FredResult<()>) -> bool {
        let is_first = !std::mem::replace(&mut self.is_noted, true);
        let Some(connection) = self.connection.upgrade().filter(|_| is_first) else { return false };
        let part = &connection.parts[self.index];
        if part.started.load(Ordering::Relaxed) != self.number {
            return false;
        }
        let closed = Error::new(ErrorKind::Canceled, "The connection was closed.");
        let cause = result.as_ref().err().unwrap_or(&closed);
        if connection.is_closed() {
            connection.set_aside(self.index, &self.servers, cause);
        } else {
            connection.lose(self.index, Standing::Ended, &self.servers, cause);
        }
        part.ended.send_replace(Some(result.clone()));
        true
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.note(&Err(runtime_ended()));
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
    // A task that runs has it, or a task that was aborted had it.
    if let Some(receiver) = queue.as_mut() {
        while let Ok(command) = receiver.try_recv() {
            inner.counters.decr_cmd_buffer_len();
            command.cancel();
        }
    }
    inner.counters.read_cmd_buffer_len()
}

fn runtime_ended() -> Error {
    Error::new(ErrorKind::Canceled, "The runtime of the connection has ended.")
}

pub(super) fn too_slow() -> Error {
    Error::new(ErrorKind::Timeout, "The connection was not made in time.")
}
