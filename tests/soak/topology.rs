//! The servers, and the way to them.

use std::{
    collections::BTreeMap,
    io, thread,
    time::{Duration, Instant},
};

use fred::{
    clients::{Client, Pool},
    interfaces::FredResult,
    types::{
        Builder,
        config::{ClusterDiscoveryPolicy, Config, ReconnectPolicy, Server, ServerConfig},
    },
};
use retry_runtime::{
    Exponential, RetryPolicy,
    fred::{RetryClient, WithRetry},
    policy::{ByDisposition, Timed},
};
use retry_tests::{RedisCluster, RedisSentinel, RedisServer};

use crate::relay::{ADDRESS, Relay};

/// What a service would set whose callers wait for a second or so.
const POLICY: RetryPolicy<Exponential, ByDisposition, Timed> = RetryPolicy::exponential()
    .base_delay(Duration::from_millis(20))
    .max_delay(Duration::from_millis(150))
    .retries(3)
    .attempt_timeout(Duration::from_millis(250));

/// What an acknowledged write survives: the end of the process.
const DURABLE: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"];

/// How long servers may need until they agree on another primary.
pub const AGREEMENT: Duration = Duration::from_secs(40);

/// How long the nodes of a cluster wait for each other.
pub const NODE_TIMEOUT: Duration = Duration::from_secs(1);

/// How servers stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    Single,
    Pool,
    Cluster,
    Sentinel,
    /// A primary and its replica behind one address, which leads to whichever is the primary.
    Name,
}

/// The servers, ended when dropped, and the relay before them.
pub struct Stage {
    pub servers: Servers,
    pub relay: Relay,
    /// The server that stands still, which is not to be asked anything.
    pub stopped: Option<usize>,
}

/// The servers of a topology.
pub enum Servers {
    One(RedisServer),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
    /// Two, and which of them is the primary.
    Name([RedisServer; 2], usize),
}

impl Topology {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 5] =
        [Self::Single, Self::Pool, Self::Cluster, Self::Sentinel, Self::Name];

    /// Returns the word that names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Pool => "pool",
            Self::Cluster => "cluster",
            Self::Sentinel => "sentinel",
            Self::Name => "name",
        }
    }

    /// Returns how many replicas have a write that cannot be lost.
    pub fn replicas(self) -> i64 {
        match self {
            Self::Single | Self::Pool => 0,
            Self::Cluster | Self::Name => 1,
            Self::Sentinel => 2,
        }
    }
}

impl Stage {
    /// Starts the servers of a topology, and the relay.
    pub fn start(topology: Topology) -> Self {
        let servers = match topology {
            Topology::Single | Topology::Pool => Servers::One(RedisServer::start(&DURABLE)),
            Topology::Cluster => {
                let name = ADDRESS.to_string();
                let named = ["--cluster-announce-hostname", &name];
                let told = ["--cluster-preferred-endpoint-type", "hostname"];
                let arguments = [&DURABLE[..], &named, &told].concat();
                Servers::Cluster(RedisCluster::start_with(NODE_TIMEOUT, &arguments))
            }
            Topology::Name => {
                let servers = [(); 2].map(|()| RedisServer::start(&DURABLE));
                let port = servers[0].port().to_string();
                servers[1].command(&["REPLICAOF", "127.0.0.1", &port]);
                Servers::Name(servers, 0)
            }
            Topology::Sentinel => Servers::Sentinel(RedisSentinel::start_with(&DURABLE)),
        };
        assert!(servers.wait(AGREEMENT, Servers::is_whole), "the servers do not agree");
        let relay = match &servers {
            Servers::Sentinel(all) => Relay::start(&servers.ports(), &all.sentinel_ports()),
            _ => Relay::start(&servers.ports(), &[]),
        };
        Self { servers, relay, stopped: None }
    }

    /// Connects a client.
    pub async fn connect(&self) -> FredResult<RetryClient<Client>> {
        RetryClient::connect_with(self.builder(), POLICY).await
    }

    /// Connects a pool of three.
    pub async fn connect_pool(&self) -> FredResult<RetryClient<Pool>> {
        let client = self.builder().build_pool(3)?.with_retry(POLICY);
        client.init().await?;
        Ok(client)
    }

    fn builder(&self) -> Builder {
        let mut builder = Builder::from_config(self.config());
        builder.set_policy(ReconnectPolicy::new_exponential(0, 50, 500, 2));
        builder
    }

    fn config(&self) -> Config {
        let host = ADDRESS.to_string();
        let server = match &self.servers {
            Servers::One(server) | Servers::Name([server, _], _) => {
                ServerConfig::new_centralized(host, server.port())
            }
            Servers::Cluster(cluster) => ServerConfig::Clustered {
                hosts: (0..3).map(|node| Server::new(&*host, cluster.node(node).port())).collect(),
                policy: ClusterDiscoveryPolicy::ConfigEndpoint,
            },
            Servers::Sentinel(all) => {
                let hosts = all.sentinel_ports().into_iter().map(|port| (host.clone(), port));
                ServerConfig::new_sentinel(hosts.collect(), RedisSentinel::NAME)
            }
        };
        Config { server, ..Config::default() }
    }
}

impl Servers {
    /// Returns how many servers hold data.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Cluster(_) => 6,
            Self::Sentinel(_) => 3,
            Self::Name(..) => 2,
        }
    }

    fn ports(&self) -> Vec<u16> {
        (0..self.len()).map(|place| self.get(place).port()).collect()
    }

    /// Returns a server by its place in the order of starting.
    pub fn get(&self, place: usize) -> &RedisServer {
        match self {
            Self::One(server) => server,
            Self::Name(servers, _) => &servers[place],
            Self::Cluster(cluster) => cluster.node(place),
            Self::Sentinel(all) => all.server(place),
        }
    }

    /// Returns a server to kill or restart it.
    pub fn get_mut(&mut self, place: usize) -> &mut RedisServer {
        match self {
            Self::One(server) => server,
            Self::Name(servers, _) => &mut servers[place],
            Self::Cluster(cluster) => cluster.node_mut(place),
            Self::Sentinel(all) => all.server_mut(place),
        }
    }

    /// Returns the servers that take writes; of a sentinel's the one that it names.
    pub fn primaries(&self) -> Vec<usize> {
        match self {
            Self::One(_) => vec![0],
            Self::Name(_, primary) => vec![*primary],
            Self::Sentinel(all) => vec![all.primary()],
            Self::Cluster(_) => {
                let is_primary = |place: &usize| self.is_primary(*place);
                (0..self.len()).filter(is_primary).collect()
            }
        }
    }

    /// Tells whether a server says that it is a primary.
    pub fn is_primary(&self, place: usize) -> bool {
        self.role(place) == "master"
    }

    /// Returns what a server says that it is; nothing if it does not answer.
    pub fn role(&self, place: usize) -> String {
        let answer = self.get(place).try_command(&["ROLE"]);
        let role = answer.ok().and_then(|role| role.lines().nth(2).map(str::to_owned));
        role.unwrap_or_default()
    }

    /// Returns which servers are primaries.
    pub fn roles(&self) -> BTreeMap<usize, String> {
        (0..self.len()).map(|place| (place, self.role(place))).collect()
    }

    /// Sends a command about a key to the server that holds it.
    pub fn values(&self, words: &[&str]) -> Vec<String> {
        match self {
            Self::Cluster(cluster) => cluster.values(words),
            _ => self.get(self.primaries()[0]).values(words),
        }
    }

    /// Waits until something is true of the servers; tells whether it became so in time.
    pub fn wait(&self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let begin = Instant::now();
        while !done(self) {
            if begin.elapsed() > limit {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Tells whether a server serves reads and writes, or follows a primary that it can reach.
    pub fn serves(&self, place: usize) -> bool {
        let told = |words: &[&str]| -> io::Result<String> { self.get(place).try_command(words) };
        let Ok(replication) = told(&["INFO", "replication"]) else { return false };
        let Ok(persistence) = told(&["INFO", "persistence"]) else { return false };
        let follows = replication.contains("master_link_status:up");
        let leads = replication.contains("role:master");
        let is_whole = match self {
            Self::Cluster(_) => {
                told(&["CLUSTER", "INFO"]).is_ok_and(|info| info.contains("cluster_state:ok"))
            }
            _ => true,
        };
        persistence.contains("loading:0") && (follows || leads) && is_whole
    }

    /// Tells whether all serve, and there are as many primaries as are wanted.
    pub fn is_whole(&self) -> bool {
        let wanted = match self {
            Self::Cluster(_) => 3,
            _ => 1,
        };
        let all = { 0..self.len() }.all(|place| self.serves(place));
        all && { 0..self.len() }.filter(|place| self.role(*place) == "master").count() == wanted
    }
}
