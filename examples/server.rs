// Not every program needs all of it.
#![allow(dead_code)]

use std::{
    env, fs, io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A redis-server on a free loopback port that ends with the program.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> io::Result<Self> {
        let port = free_port()?;
        let directory = env::temp_dir().join(format!("retry-examples-{port}"));
        fs::create_dir_all(&directory)?;
        let arguments = arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
        Ok(Self { child: spawn(port, &directory, &arguments)?, port, directory, arguments })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(self.port, &self.directory, &self.arguments)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to do for a server that has ended already.
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn spawn(port: u16, directory: &Path, arguments: &[String]) -> io::Result<Child> {
    let mut child = Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ])
        .arg(directory)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("redis-server does not start ({error}); install it"),
            )
        })?;
    let begin = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if begin.elapsed() > Duration::from_secs(10) {
            child.kill()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "redis-server does not listen"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}
