use std::{io, time::Duration};

use retry_server::Server;

use crate::resp::{leaves, request};

/// How long a server may take to answer; generous, because the tests share few cores.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A redis-server of one test: loopback only, on a port and in a directory of its own, killed when dropped.
#[derive(Debug)]
pub struct RedisServer(Server);

impl RedisServer {
    /// Starts a server that keeps nothing on disk, with more arguments such as `["--maxmemory", "1"]`.
    ///
    /// # Panics
    ///
    /// If redis-server is missing, or does not start.
    pub fn start(arguments: &[&str]) -> Self {
        Self(Server::start_with(arguments).expect("redis-server starts"))
    }

    /// Starts a server with arguments that are made again for every try, because they name a port too.
    pub(crate) fn start_each(arguments: impl Fn() -> Vec<String>) -> Self {
        Self(Server::start_each(arguments).expect("redis-server starts"))
    }

    /// Returns the port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Kills the server as a crash would: nothing is saved, connections break.
    pub fn kill(&mut self) {
        // One that has ended cannot be killed again.
        let _ = self.0.kill();
    }

    /// Returns whether the server's process has ended.
    pub fn is_down(&mut self) -> bool {
        self.0.is_down()
    }

    /// Stops the server where it is: connections stay, nothing is answered until [`resume`](Self::resume).
    ///
    /// # Panics
    ///
    /// If the system refuses.
    pub fn pause(&self) {
        self.0.signal("-STOP").expect("the server runs");
    }

    /// Lets a paused server go on with what has arrived.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    pub fn resume(&self) {
        self.0.signal("-CONT").expect("the server runs");
    }

    /// Starts the server again on the same port, with the files it left; kills it first if it runs.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.0.restart().expect("redis-server starts again");
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
        request(self.port(), words, ANSWER_LIMIT)
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
