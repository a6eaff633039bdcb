use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher, Hasher},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::resp::{leaves, request};

/// How long a server may take to answer; generous, because the tests share few cores.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A redis-server of one test: loopback only, on a port and in a directory of its own, killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk, with more arguments such as `["--maxmemory", "1"]`.
    ///
    /// # Panics
    ///
    /// If redis-server is missing, or does not start.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_each(|| arguments.iter().map(ToString::to_string).collect())
    }

    /// Starts a server with arguments that are made anew for every try, because they name a port too.
    pub(crate) fn start_each(arguments: impl Fn() -> Vec<String>) -> Self {
        let directory = fresh_directory();
        // Another process may take the port between our letting it go and the server's taking it.
        for _ in 0..5 {
            let (port, arguments) = (free_port(), arguments());
            let mut child = spawn(port, &directory, &arguments);
            if answers(port, &mut child) {
                return Self { child, port, directory, arguments };
            }
            end(&mut child);
        }
        let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
        panic!("redis-server does not start with {:?}; its log:\n{log}", arguments());
    }

    /// Returns the port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server as a crash would: nothing is saved, connections break.
    pub fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Tells whether the server's process has ended.
    pub fn is_down(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Stops the server where it is: connections stay, nothing is answered until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets a paused server go on with what has arrived.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {signal} {pid} failed");
    }

    /// Starts the server again on the same port, with the files it left; kills it first if it runs.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        end(&mut self.child);
        self.child = spawn(self.port, &self.directory, &self.arguments);
        assert!(
            answers(self.port, &mut self.child),
            "redis-server does not start again on port {}",
            self.port
        );
    }

    /// Sends one command on a connection of its own, past fred, and returns the reply as it arrives.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn command(&self, words: &[&str]) -> String {
        self.try_command(words).unwrap_or_else(|error| panic!("{words:?} failed: {error}"))
    }

    /// Sends one command to a server that may be down, and returns the reply as it arrives.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub fn try_command(&self, words: &[&str]) -> io::Result<String> {
        request(self.port, words, START_LIMIT)
    }

    /// Sends one command and returns the strings and numbers of the reply.
    pub fn values(&self, words: &[&str]) -> Vec<String> {
        leaves(&self.command(words))
    }

    /// Sends one command and returns the string of the reply; empty if that is null.
    pub fn text(&self, words: &[&str]) -> String {
        self.values(words).into_iter().next().unwrap_or_default()
    }

    /// Sends one command and returns the number of the reply; zero if that is null.
    ///
    /// # Panics
    ///
    /// If the reply is something else.
    pub fn number(&self, words: &[&str]) -> u64 {
        let text = self.text(words);
        if text.is_empty() {
            return 0;
        }
        text.parse().unwrap_or_else(|_| panic!("{words:?} answers {text:?}, which is no number"))
    }

    /// Returns how often the server executed a command since it started, by its own count.
    pub fn executed(&self, command: &str) -> u64 {
        self.statistic("commandstats", &format!("cmdstat_{}:calls=", command.to_lowercase()))
    }

    /// Returns how often the server answered an error such as `OOM` since it started, by its own count.
    pub fn refused(&self, error: &str) -> u64 {
        self.statistic("errorstats", &format!("errorstat_{error}:count="))
    }

    fn statistic(&self, section: &str, begin: &str) -> u64 {
        let statistics = self.text(&["INFO", section]);
        let number = statistics.lines().find_map(|line| line.strip_prefix(begin));
        number.map_or(0, |text| {
            let digits = text.split(',').next().unwrap_or_default();
            digits.parse().unwrap_or_else(|_| panic!("{begin}{text} is no number"))
        })
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        end(&mut self.child);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("retry-tests-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory)
        .unwrap_or_else(|error| panic!("cannot create {}: {error}", directory.display()));
    directory
}

/// Finds a port below those that the system gives to clients: none of them takes it while the server is down.
pub(crate) fn free_port() -> u16 {
    for _ in 0..1000 {
        let random = RandomState::new().build_hasher().finish();
        let port = 20_000 + u16::try_from(random % 12_000).expect("below 12000");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free loopback port");
}

fn spawn(port: u16, directory: &Path, arguments: &[String]) -> Child {
    // An empty file, for the kinds of servers that write into it; a restart begins with what it wrote.
    let config = directory.join("redis.conf");
    if !config.exists() {
        fs::write(&config, "").expect("a file in a fresh directory");
    }
    let spawned = Command::new("redis-server")
        .arg(config)
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .args(["--logfile", "log", "--dir"])
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            panic!("redis-server is not on PATH: install it (`./x test` does)")
        }
        spawned => spawned.unwrap_or_else(|error| panic!("redis-server cannot be run: {error}")),
    }
}

/// Waits for an answer to PING, be it an error such as `-NOAUTH` or `-LOADING`; false if the server ended instead.
fn answers(port: u16, child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < START_LIMIT && matches!(child.try_wait(), Ok(None)) {
        if request(port, &["PING"], START_LIMIT).is_ok_and(|answer| answer.starts_with(['+', '-']))
        {
            // A server that found the port taken ends at once; the answer was another's then.
            return matches!(child.try_wait(), Ok(None));
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
