use std::{
    thread,
    time::{Duration, Instant},
};

use fred::types::config::{Config, ServerConfig};

use crate::redis_server::RedisServer;

/// How long sentinels may take to agree; generous, because the tests share few cores.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(60);

/// A primary with two replicas, and three sentinels that watch them; all ended when dropped.
#[derive(Debug)]
pub struct RedisSentinel {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl RedisSentinel {
    /// The name under which the sentinels watch the primary.
    pub const NAME: &str = "main";

    /// Starts all, and waits until the sentinels know each other and the replicas; the first server is the primary.
    ///
    /// # Panics
    ///
    /// If they do not start or do not agree.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts servers that have more arguments, and their sentinels.
    ///
    /// # Panics
    ///
    /// If they do not start or do not agree.
    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments = [&["--repl-diskless-sync-delay", "0"], arguments].concat();
        let servers = [(); 3].map(|()| RedisServer::start(&arguments));
        let port = servers[0].port().to_string();
        for replica in &servers[1..] {
            replica.command(&["REPLICAOF", "127.0.0.1", &port]);
        }
        let sentinels = [(); 3].map(|()| RedisServer::start(&["--sentinel"]));
        let all = Self { servers: servers.into(), sentinels: sentinels.into() };
        all.wait("the replicas follow", || {
            let follows = |replica: &RedisServer| {
                replica.text(&["INFO", "replication"]).contains("master_link_status:up")
            };
            all.servers[1..].iter().all(follows)
        });
        for sentinel in &all.sentinels {
            for words in [
                &["SENTINEL", "MONITOR", Self::NAME, "127.0.0.1", &port, "2"][..],
                &["SENTINEL", "SET", Self::NAME, "down-after-milliseconds", "500"],
                &["SENTINEL", "SET", Self::NAME, "failover-timeout", "5000"],
            ] {
                assert_eq!(sentinel.command(words), "+OK\r\n", "{words:?}");
            }
        }
        all.wait("the sentinels know each other and the replicas", || {
            let knows = |sentinel: &RedisServer| {
                let facts = sentinel.values(&["SENTINEL", "MASTER", Self::NAME]);
                let fact = |name| facts.iter().skip_while(|fact| *fact != name).nth(1).cloned();
                [fact("num-slaves"), fact("num-other-sentinels")]
                    .iter()
                    .all(|number| number.as_deref() == Some("2"))
            };
            all.sentinels.iter().all(knows)
        });
        all
    }

    /// Waits until something is true.
    ///
    /// # Panics
    ///
    /// If that takes longer than sentinels need.
    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            let view = self.sentinels[0].values(&["SENTINEL", "MASTER", Self::NAME]);
            assert!(begin.elapsed() < AGREEMENT_LIMIT, "never: {what}\n{view:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the configuration of a client that is told the sentinels.
    pub fn config(&self) -> Config {
        let hosts = self.sentinels.iter().map(|sentinel| ("127.0.0.1".to_owned(), sentinel.port()));
        Config {
            server: ServerConfig::new_sentinel(hosts.collect(), Self::NAME),
            ..Config::default()
        }
    }

    /// Returns the ports of the sentinels.
    pub fn sentinel_ports(&self) -> Vec<u16> {
        self.sentinels.iter().map(RedisServer::port).collect()
    }

    /// Returns the place of the server that a sentinel takes for the primary.
    ///
    /// # Panics
    ///
    /// If it is none of ours.
    pub fn primary(&self) -> usize {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME];
        let port: u16 = self.sentinels[0].values(&words)[1].parse().expect("a port");
        let place = self.servers.iter().position(|server| server.port() == port);
        place.expect("one of the servers")
    }

    /// Returns a server by its place in the order of starting.
    pub fn server(&self, index: usize) -> &RedisServer {
        &self.servers[index]
    }

    /// Returns a server by its place in the order of starting, to kill or restart it.
    pub fn server_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.servers[index]
    }

    /// Asks a sentinel for a failover that nothing forces.
    ///
    /// # Panics
    ///
    /// If it refuses.
    pub fn fail_over(&self) {
        assert!(self.try_fail_over(), "the sentinel refuses");
    }

    /// Asks a sentinel for a failover that nothing forces, and tells whether it agrees; soon after another it does not.
    pub fn try_fail_over(&self) -> bool {
        let asked = self.sentinels[0].try_command(&["SENTINEL", "FAILOVER", Self::NAME]);
        asked.is_ok_and(|answer| answer == "+OK\r\n")
    }

    /// Waits until another server than `old` is the primary, and returns its place.
    ///
    /// # Panics
    ///
    /// If that takes longer than sentinels need.
    pub fn wait_for_another(&self, old: usize) -> usize {
        self.wait("another primary", || {
            let primary = self.primary();
            primary != old && self.servers[primary].text(&["ROLE"]) == "master"
        });
        self.primary()
    }

    /// Waits until a server is a replica.
    ///
    /// # Panics
    ///
    /// If that takes longer than sentinels need.
    pub fn wait_for_demotion(&self, index: usize) {
        self.wait("demotion", || self.servers[index].text(&["ROLE"]) == "slave");
    }
}
