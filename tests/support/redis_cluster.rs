use std::{
    thread,
    time::{Duration, Instant},
};

use fred::{
    types::config::{ClusterDiscoveryPolicy, Config, Server, ServerConfig},
    util::redis_keyslot,
};

use crate::{redis_server::RedisServer, resp::leaves};

/// How long a cluster may take to agree; generous, because the tests share few cores.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(40);

/// The slots of the three primaries.
const RANGES: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// Three primaries with a replica each, ended when dropped.
///
/// The first three nodes begin as primaries, and the node three further is the replica of each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    ids: Vec<String>,
}

impl RedisCluster {
    /// Starts a cluster whose nodes count as failed after `node_timeout` without an answer.
    ///
    /// # Panics
    ///
    /// If the nodes do not start or do not agree.
    pub fn start(node_timeout: Duration) -> Self {
        Self::start_with(node_timeout, &[])
    }

    /// Starts a cluster whose nodes have more arguments.
    ///
    /// # Panics
    ///
    /// If the nodes do not start or do not agree.
    pub fn start_with(node_timeout: Duration, arguments: &[&str]) -> Self {
        let timeout = node_timeout.as_millis().to_string();
        let node = || {
            RedisServer::start_each(|| {
                let bus = retry_server::free_port().expect("a free port").to_string();
                let kind = ["--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0"];
                let own = ["--cluster-port", &bus, "--cluster-node-timeout", &timeout];
                [&kind, &own, arguments].concat().into_iter().map(str::to_owned).collect()
            })
        };
        let nodes = (0..6).map(|_| node()).collect::<Vec<_>>();
        let ids = nodes.iter().map(|node| node.text(&["CLUSTER", "MYID"])).collect();
        let cluster = Self { nodes, ids };
        cluster.meet();
        for (node, (first, last)) in RANGES.iter().enumerate() {
            let (first, last) = (first.to_string(), last.to_string());
            cluster.ok(node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
        cluster.wait("the replicas know all nodes", || {
            cluster.nodes.iter().all(|node| {
                let known = node.text(&["CLUSTER", "NODES"]);
                cluster.ids.iter().all(|id| known.contains(id)) && !known.contains("handshake")
            })
        });
        for primary in 0..3 {
            cluster.ok(primary + 3, &["CLUSTER", "REPLICATE", &cluster.ids[primary]]);
        }
        cluster.wait_until_whole();
        cluster
    }

    fn meet(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            self.ok(index, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            let bus = node.values(&["CONFIG", "GET", "cluster-port"])[1].clone();
            let port = node.port().to_string();
            self.ok(0, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
    }

    /// Waits until every node serves, every replica follows, and all know that it does.
    fn wait_until_whole(&self) {
        self.wait("the cluster is whole", || {
            self.nodes.iter().all(|node| {
                let state = node.text(&["CLUSTER", "INFO"]);
                let replication = node.text(&["INFO", "replication"]);
                let follows = replication.contains("master_link_status:up");
                let feeds = replication.contains("role:master")
                    && replication.contains("connected_slaves:1")
                    && replication.contains("state=online");
                let knows = node.text(&["CLUSTER", "NODES"]).matches("slave ").count() == 3;
                state.contains("cluster_state:ok") && knows && (follows || feeds)
            })
        });
    }

    /// Waits until the nodes tell clients of all replicas: of those only that have got something.
    ///
    /// # Panics
    ///
    /// If that takes longer than a cluster needs.
    pub fn wait_until_replicas_are_told(&self) {
        for primary in 0..3 {
            self.ok(primary, &["FLUSHALL"]);
        }
        self.wait("the replicas are told", || {
            let told = |node: &RedisServer| {
                let slots = node.values(&["CLUSTER", "SLOTS"]);
                self.ids.iter().all(|id| slots.contains(id))
            };
            self.nodes.iter().all(told)
        });
    }

    /// Waits until something about the nodes is true.
    ///
    /// # Panics
    ///
    /// If that takes longer than a cluster needs.
    pub fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < AGREEMENT_LIMIT, "never: {what}\n{}", self.describe());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn describe(&self) -> String {
        let views = self.nodes.iter().map(|node| node.text(&["CLUSTER", "NODES"]));
        views.collect::<Vec<_>>().join("\n")
    }

    /// Returns a node by its place in the order of starting.
    pub fn node(&self, index: usize) -> &RedisServer {
        &self.nodes[index]
    }

    /// Returns a node by its place in the order of starting, to kill or restart it.
    pub fn node_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }

    /// Returns the identity of a node in the cluster.
    pub fn id(&self, index: usize) -> &str {
        &self.ids[index]
    }

    /// Returns the place of the node that has begun as owner of the slot of a key.
    ///
    /// # Panics
    ///
    /// Never: every slot has an owner.
    pub fn first_owner(&self, key: &str) -> usize {
        let slot = redis_keyslot(key.as_bytes());
        RANGES.iter().position(|(_, last)| slot <= *last).expect("an owner")
    }

    /// Sends a command about a key to the node that owns its slot now, and returns the strings and numbers of the reply.
    ///
    /// # Panics
    ///
    /// If no node that runs serves the key.
    pub fn values(&self, words: &[&str]) -> Vec<String> {
        let replies = self.nodes.iter().filter_map(|node| node.try_command(words).ok());
        let refusals = ["-MOVED", "-ASK", "-CLUSTERDOWN"];
        let served = |reply: &String| !refusals.iter().any(|refusal| reply.starts_with(refusal));
        let reply = { replies }.find(served).unwrap_or_else(|| panic!("nobody serves {words:?}"));
        leaves(&reply)
    }

    /// Returns the number under a key; zero if there is none.
    ///
    /// # Panics
    ///
    /// If no node that runs serves the key, or it holds something else.
    pub fn counter(&self, key: &str) -> u64 {
        self.values(&["GET", key]).first().map_or(0, |text| text.parse().expect("a number"))
    }

    /// Sends a command to a node, which has to answer `OK`.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn ok(&self, index: usize, words: &[&str]) {
        let answer = self.nodes[index].command(words);
        assert_eq!(answer, "+OK\r\n", "node {index}: {words:?}");
    }

    /// Returns the configuration of a client that is told three of the nodes.
    pub fn config(&self) -> Config {
        let hosts = self.nodes[..3].iter().map(|node| Server::new("127.0.0.1", node.port()));
        let server = ServerConfig::Clustered {
            hosts: hosts.collect(),
            policy: ClusterDiscoveryPolicy::UseCache,
        };
        Config { server, ..Config::default() }
    }

    /// Lets `to` take over the slot of a key from `from`; keys stay until [`move_keys`](Self::move_keys).
    ///
    /// # Panics
    ///
    /// If a node refuses.
    pub fn begin_move(&self, key: &str, from: usize, to: usize) {
        let slot = redis_keyslot(key.as_bytes()).to_string();
        self.ok(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[from]]);
        self.ok(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[to]]);
    }

    /// Moves the keys of the slot of a key, one after the other.
    ///
    /// # Panics
    ///
    /// If a node refuses.
    pub fn move_keys(&self, key: &str, from: usize, to: usize) {
        let slot = redis_keyslot(key.as_bytes()).to_string();
        let port = self.nodes[to].port().to_string();
        loop {
            let keys = self.nodes[from].values(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            if keys.is_empty() {
                return;
            }
            for key in keys {
                self.ok(from, &["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]);
            }
        }
    }

    /// Tells all primaries who owns the slot of a key now.
    ///
    /// # Panics
    ///
    /// If a node refuses.
    pub fn end_move(&self, key: &str, to: usize) {
        let slot = redis_keyslot(key.as_bytes()).to_string();
        let others = (0..3).filter(|index| *index != to);
        for index in std::iter::once(to).chain(others) {
            self.ok(index, &["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]]);
        }
    }
}
