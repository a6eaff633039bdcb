//! A redis-server for an example or a test: loopback only, on a port and in a directory of its own.

use std::{
    collections::hash_map::RandomState,
    env, fs,
    hash::{BuildHasher, Hasher},
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to answer; generous, because the tests share few cores.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A redis-server that is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    /// Starts a server that keeps nothing on disk.
    ///
    /// # Errors
    ///
    /// If redis-server is missing, or does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with more arguments such as `["--maxmemory", "1"]`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(arguments: &[&str]) -> io::Result<Self> {
        Self::start_each(|| arguments.iter().map(ToString::to_string).collect())
    }

    /// Starts a server whose arguments are made again for every try, because they name a port too.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), with what the server logged.
    pub fn start_each(arguments: impl Fn() -> Vec<String>) -> io::Result<Self> {
        let directory = fresh_directory()?;
        // Another process may take the port before the server does.
        for _ in 0..5 {
            let (port, arguments) = (free_port()?, arguments());
            let mut child = spawn(port, &directory, &arguments)?;
            if answers(port, &mut child) {
                return Ok(Self { child, port, directory, arguments });
            }
            end(&mut child);
        }
        let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
        fs::remove_dir_all(directory)?;
        let message =
            format!("redis-server does not start with {:?}; its log:\n{log}", arguments());
        Err(io::Error::other(message))
    }

    /// Returns the port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address as clients take it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server as a crash would: nothing is saved, connections break.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Returns whether the server's process has ended.
    pub fn is_down(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal such as `-STOP` to the server's process.
    ///
    /// # Errors
    ///
    /// If that is not possible.
    pub fn signal(&self, signal: &str) -> io::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status()?;
        let refused = || io::Error::other(format!("kill {signal} {pid} failed"));
        if sent.success() { Ok(()) } else { Err(refused()) }
    }

    /// Starts the server again on the same port, with the files it left; kills it first if it runs.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> io::Result<()> {
        end(&mut self.child);
        self.child = spawn(self.port, &self.directory, &self.arguments)?;
        if answers(self.port, &mut self.child) {
            return Ok(());
        }
        Err(io::Error::other(format!("redis-server does not start again on port {}", self.port)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Finds a port below those that the system gives to clients: none of them takes it while the server is down.
///
/// # Errors
///
/// If there is none.
pub fn free_port() -> io::Result<u16> {
    let ports = (0..1000).map(|_| {
        let [low, high, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
        20_000 + u16::from_le_bytes([low, high]) % 12_000
    });
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().ok_or_else(|| io::Error::other("no free loopback port"))
}

fn fresh_directory() -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("retry-server-{}-{number}", process::id()));
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn spawn(port: u16, directory: &Path, arguments: &[String]) -> io::Result<Child> {
    // An empty file, for the kinds of servers that write into it; a restart begins with what it wrote.
    let config = directory.join("redis.conf");
    if !config.exists() {
        fs::write(&config, "")?;
    }
    let port = port.to_string();
    let spawned = Command::new("redis-server")
        .arg(config)
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--logfile", "log", "--dir"])
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    spawned.map_err(|error| {
        let message = format!("redis-server does not start ({error}); install it");
        io::Error::new(error.kind(), message)
    })
}

/// Waits for an answer to `PING`, be it an error such as `-NOAUTH`; false if the server ended instead.
fn answers(port: u16, child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < START_LIMIT && matches!(child.try_wait(), Ok(None)) {
        if ping(port).is_ok_and(|answer| matches!(answer, b'+' | b'-')) {
            // A server that found the port taken ends at once; the answer was another's then.
            return matches!(child.try_wait(), Ok(None));
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Returns the first byte of the answer.
fn ping(port: u16) -> io::Result<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(START_LIMIT))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    Ok(answer[0])
}

fn end(child: &mut Child) {
    // Nothing is left to do for a server that has ended already.
    let _ = child.kill();
    let _ = child.wait();
}
