use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

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
        let directory = fresh_directory();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        // Another process may take the port between our letting it go and the server's taking it.
        for _ in 0..5 {
            let port = free_port();
            let mut child = spawn(port, &directory, &arguments);
            if answers(port, &mut child) {
                return Self { child, port, directory, arguments };
            }
            end(&mut child);
        }
        let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
        panic!("redis-server does not start with {arguments:?}; its log:\n{log}");
    }

    /// Returns the port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server as a crash would: nothing is saved, connections break.
    pub fn kill(&mut self) {
        end(&mut self.child);
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

    /// Sends one command on a connection of its own, past fred, and returns the whole reply.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn command(&self, words: &[&str]) -> String {
        request(self.port, words).unwrap_or_else(|error| panic!("{words:?} failed: {error}"))
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

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free loopback port");
    listener.local_addr().expect("a listener without an address").port()
}

fn spawn(port: u16, directory: &Path, arguments: &[String]) -> Child {
    let spawned = Command::new("redis-server")
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
        if request(port, &["PING"]).is_ok_and(|answer| answer.starts_with(['+', '-'])) {
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

fn request(port: u16, words: &[&str]) -> io::Result<String> {
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), START_LIMIT)?;
    stream.set_read_timeout(Some(START_LIMIT))?;
    let count = words.len();
    let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{count}\r\n{words}").as_bytes())?;
    let mut answer = Vec::new();
    let mut part = vec![0; 64 * 1024];
    while reply_end(&answer, 0).is_none() {
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend(&part[..length]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Returns where the reply ends that begins at `start`, if all of it is there.
fn reply_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let line = rest.windows(2).position(|end| end == b"\r\n")?;
    let number = || std::str::from_utf8(&rest[1..line]).ok()?.parse::<usize>().ok();
    let end = start + line + 2;
    match rest.first()? {
        // A negative number is a null, and nothing follows.
        b'$' => number().map_or(Some(end), |length| Some(end + length + 2)),
        b'*' => (0..number().unwrap_or(0)).try_fold(end, |end, _| reply_end(bytes, end)),
        _ => Some(end),
    }
    .filter(|end| *end <= bytes.len())
}
