//! What fred tells of a connection, and what it does not: that it is silent.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use ::fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::ClientLike,
    types::{
        ClientState, ClusterHash, CustomCommand, Value,
        config::{Config, Options, Server, ServerConfig},
    },
};
use tokio::{
    sync::broadcast::error::RecvError,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    ErrorClass,
    connection::{Abort, Connection, LONGEST_CONNECT},
    link::{Standing, plain},
    pulse::Patience,
};

/// How often a connection is looked at that fred called lost, because fred does not tell every return.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// How long fred may be at one try to connect before it is started again.
pub(super) const LONGEST_ANSWER: Duration = Duration::from_millis(1_500);

/// How often a connection is probed on which a client only listens.
const LISTENING: Duration = Duration::from_secs(2);

/// The shortest time that the first of several tries to connect is given.
const SHORTEST_CONNECT: Duration = Duration::from_millis(500);

/// The shortest time that a probe is given.
const SHORTEST_PROBE: Duration = Duration::from_millis(20);

/// Keeps the state of a connection true until fred closes its events or the client is dropped.
pub(super) fn follow<P>(
    connection: Weak<Connection>,
    index: usize,
    part: &P,
) -> impl Future<Output = ()> + Send + 'static
where
    P: ClientLike + 'static,
{
    let notifications = &part.inner().notifications;
    let mut errors = notifications.errors.load().subscribe();
    let mut connects = notifications.connect.load().subscribe();
    let part = part.clone();
    async move {
        let mut connecting: Option<Instant> = None;
        loop {
            let (is_down, listens) = match connection.upgrade() {
                None => return,
                Some(connection) => {
                    let standing = connection.part(index).link.standing();
                    (standing == Standing::Down, standing == Standing::Up && connection.listens)
                }
            };
            let is_back = tokio::select! {
                biased;
                error = errors.recv() => match error {
                    Ok((error, server)) => {
                        let Some(connection) = connection.upgrade() else { return };
                        let server = server.map_or_else(|| servers(&part), |server| server.to_string());
                        connection.lose(index, Standing::Down, server, &error);
                        false
                    }
                    Err(RecvError::Lagged(_)) => false,
                    Err(RecvError::Closed) => return,
                },
                connected = connects.recv() => match connected {
                    Ok(result) => result.is_ok() && part.state() == ClientState::Connected,
                    Err(RecvError::Lagged(_)) => part.state() == ClientState::Connected,
                    Err(RecvError::Closed) => return,
                },
                () = sleep(LOOK), if is_down => {
                    let state = part.state();
                    let since = *connecting.get_or_insert_with(Instant::now);
                    if state != ClientState::Connecting {
                        connecting = None;
                    } else if since.elapsed() > LONGEST_ANSWER
                        && let Some(connection) = connection.upgrade()
                    {
                        // Something takes connections there and does not answer, or did when fred began to wait.
                        connection.hurry(index, &part, LONGEST_ANSWER);
                        connecting = None;
                    }
                    state == ClientState::Connected && answers(part.clone(), None, LOOK).await
                }
                // Nobody sends anything on it that could time out.
                () = sleep(LISTENING), if listens => {
                    if let Some(connection) = connection.upgrade() {
                        connection.suspect(index, part.clone(), Vec::new(), Some(2 * LISTENING));
                    }
                    false
                }
            };
            if is_back && let Some(connection) = connection.upgrade() {
                connection.restore(index);
            }
        }
    }
}

impl Connection {
    /// Finds out, after a command timed out, whether its connection is silent, and leaves it then.
    ///
    /// A probe goes out on the same connection.
    /// Where neither it nor anything else is answered in half the time of the command, nothing will be: the other end
    /// is gone without a word.
    /// As long as a command is on its way that may take longer, its reply may be what the others wait for.
    pub(super) fn suspect<P>(
        self: &Arc<Self>,
        index: usize,
        part: P,
        nodes: Vec<Server>,
        limit: Option<Duration>,
    ) where
        P: ClientLike + 'static,
    {
        let pulse = &self.part(index).pulse;
        let patience = Patience::of(limit);
        let Some(limit) = limit else { return };
        if !self.part(index).link.is_up() || pulse.may_be_busy(patience) || !pulse.suspect() {
            return;
        }
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            let trust = Trust { connection, index };
            let this = trust.connection.part(index);
            let (answers, changes) = (this.pulse.answers(), this.link.changes());
            let probe = (limit / 2).max(SHORTEST_PROBE);
            let silence = diagnose(&part, nodes, probe).await;
            // On a cluster the answers may be those of other nodes.
            let unanswered = part.is_clustered() || this.pulse.answers() == answers;
            // What was silent may have been left by fred meanwhile, for a connection that is well.
            let is_same = this.link.is_up() && this.link.changes() == changes;
            if !unanswered || !is_same || this.pulse.may_be_busy(patience) {
                return;
            }
            match silence {
                Silence::None => {}
                Silence::Connection => {
                    let text = format!("no answer for {:?}", limit + probe);
                    let cause = Error::new(ErrorKind::IO, text);
                    trust.connection.leave(index, part, &cause, limit.max(SHORTEST_CONNECT));
                }
                // The connections to the other nodes are good, and fred keeps them when it asks for the nodes again.
                Silence::Deposed => {
                    let _ = timeout(LONGEST_CONNECT, part.force_reconnection()).await;
                }
            }
        });
    }
}

/// Ends a suspicion when it is dropped.
struct Trust {
    connection: Arc<Connection>,
    index: usize,
}

impl Drop for Trust {
    fn drop(&mut self) {
        self.connection.part(self.index).pulse.trust();
    }
}

/// What does not answer.
enum Silence {
    /// Nothing, or only a node that still has its place in the cluster: a new connection would be no better.
    None,
    /// The connection.
    Connection,
    /// A node whose place another node has taken.
    Deposed,
}

/// Finds out whether the server, or one of the nodes of a cluster, does not answer on its connection.
async fn diagnose<P>(part: &P, nodes: Vec<Server>, limit: Duration) -> Silence
where
    P: ClientLike + 'static,
{
    if !part.is_clustered() {
        let answers = answers(part.clone(), None, limit).await;
        return if answers { Silence::None } else { Silence::Connection };
    }
    let probe = |node: Server| {
        let part = part.clone();
        async move { (answers(part, Some(node.clone()), limit).await, node) }
    };
    // A command for a node that the client has left makes fred connect to all nodes, one that hangs perhaps first.
    let known = primaries(part);
    let nodes = nodes.into_iter().filter(|node| known.contains(node));
    let mut probes = nodes.map(probe).collect::<JoinSet<_>>();
    while let Some(probed) = probes.join_next().await {
        let Ok((false, node)) = probed else { continue };
        if is_connecting(part) {
            return Silence::None;
        }
        if answers_newcomers(part, &node, limit).await {
            return if is_connecting(part) { Silence::None } else { Silence::Connection };
        }
        return if is_deposed(part, &node, limit).await { Silence::Deposed } else { Silence::None };
    }
    Silence::None
}

/// Returns the primaries of a cluster, as far as the client knows them.
fn primaries<P: ClientLike>(part: &P) -> Vec<Server> {
    let known = part.inner().with_cluster_state(|state| Ok(state.unique_primary_nodes()));
    known.unwrap_or_default()
}

/// Tells whether fred connects to the nodes of a cluster, and sends nothing to any of them meanwhile.
fn is_connecting<P: ClientLike>(part: &P) -> bool {
    part.state() != ClientState::Connected
}

/// Tells whether a node of a cluster answers on a connection of its own.
async fn answers_newcomers<P: ClientLike>(part: &P, node: &Server, limit: Duration) -> bool {
    let config = Config {
        server: ServerConfig::Centralized { server: node.clone() },
        ..part.client_config()
    };
    let connection = part.connection_config().clone();
    let client = Client::new(config, Some(part.perf_config()), Some(connection), None);
    let mut connected = client.inner().notifications.connect.load().subscribe();
    let _ended_with_us = Abort::new(&client.connect());
    let connected = timeout(limit.max(SHORTEST_CONNECT), connected.recv()).await;
    matches!(connected, Ok(Ok(Ok(())))) && answers(client, None, limit).await
}

/// Asks another node whether a node has lost its place in the cluster.
async fn is_deposed<P: ClientLike>(part: &P, node: &Server, limit: Duration) -> bool {
    let options = Options {
        max_attempts: Some(1),
        timeout: Some(limit),
        cluster_node: primaries(part).into_iter().find(|other| other != node),
        ..Options::default()
    };
    let command = CustomCommand::new_static("CLUSTER", ClusterHash::Random, false);
    let asked = part.with_options(&options).custom::<String, _>(command, vec!["NODES"]).await;
    asked.is_ok_and(|nodes| nodes.lines().any(|line| is_out_of_office(line, node)))
}

/// Reads a line of `CLUSTER NODES`: the name, the address, the flags.
fn is_out_of_office(line: &str, node: &Server) -> bool {
    let mut words = line.split(' ').skip(1);
    let (address, flags) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_node = address.split('@').next() == Some(&format!("{}:{}", node.host, node.port));
    is_node && flags.split(',').any(|flag| flag == "fail" || flag == "slave")
}

/// Tells whether a node answers, if only by an error.
async fn answers<P: ClientLike>(part: P, node: Option<Server>, limit: Duration) -> bool {
    let options = Options {
        max_attempts: Some(1),
        timeout: Some(limit),
        cluster_node: node,
        ..Options::default()
    };
    match part.with_options(&options).ping::<Value>(None).await {
        Ok(_) => true,
        Err(error) => !ErrorClass::TIMEOUT.matches(&error),
    }
}

/// Returns the addresses that a client connects to.
pub(super) fn servers<P: ClientLike>(part: &P) -> String {
    let hosts = part.inner().config.server.hosts();
    let hosts = hosts.iter().map(ToString::to_string).collect::<Vec<_>>();
    hosts.join(", ")
}

/// Says in the error of a connection that was not made where it was to go, and what the likeliest mistake is.
pub(super) fn named<P: ClientLike>(error: &Error, part: &P) -> Error {
    let server = servers(part);
    let info =
        info(error, &part.client_config()).map(|info| format!("; {info}")).unwrap_or_default();
    Error::new(error.kind().clone(), format!("{} (connecting to {server}{info})", plain(error)))
}

fn info(error: &Error, config: &Config) -> Option<&'static str> {
    let is_refused = ErrorClass::AUTH.matches(error) || error.details().contains("refused");
    match error.kind() {
        _ if is_refused => None,
        ErrorKind::Timeout | ErrorKind::Protocol if config.uses_tls() => Some(NO_TLS),
        _ if config.uses_tls() => advice_on_tls(error),
        ErrorKind::Protocol => Some("this does not speak the protocol of Redis"),
        ErrorKind::Timeout => Some("something accepts connections there and does not answer"),
        ErrorKind::IO | ErrorKind::Canceled if was_hung_up(error) => {
            Some("the server hung up on the first command: it may want TLS, as in `rediss://`")
        }
        _ => None,
    }
}

const NO_TLS: &str = "the server may not speak TLS on this port";

/// Tells a server that speaks TLS and is not trusted from one that does not speak it; the words are those of rustls and
/// OpenSSL.
fn advice_on_tls(error: &Error) -> Option<&'static str> {
    let details = error.details();
    let says = |words: &[&str]| words.iter().any(|words| details.contains(words));
    if says(&["AlertReceived", "alert"]) {
        Some(
            "the server ended the TLS handshake: it may want another version, or a certificate of the client",
        )
    } else if says(&["InvalidCertificate", "certificate verify failed"]) {
        Some("the certificate of the server is not trusted, or not valid for this address")
    } else if was_hung_up(error) || says(&["InvalidMessage", "wrong version number"]) {
        Some(NO_TLS)
    } else {
        None
    }
}

fn was_hung_up(error: &Error) -> bool {
    ["reset", "closed", "Broken pipe", "eof", "end of file"]
        .iter()
        .any(|words| error.details().contains(words))
}
