//! One relayed connection, and what can happen to the bytes on it.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

/// How bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Swallowed both ways; neither end learns that the other left, as with a firewall that forgot the connection.
    Forget,
    /// Requests arrive so many milliseconds later.
    DelayRequests(u16),
    /// Replies arrive so many milliseconds later.
    DelayReplies(u16),
    /// A few bytes at a time, both ways.
    Drip,
    /// The server's side reads slowly, so that requests pile up.
    Slow,
}

/// What happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once {
    Nothing,
    /// The next request does not arrive, and the connection ends.
    CutBefore,
    /// The next request arrives, its reply does not, and the connection ends.
    AbortedAfter,
    /// Half of the next request arrives, and the connection ends.
    HalfRequest,
    /// Half of the next reply arrives, and the connection ends.
    HalfReply,
}

/// A connection of the client and the one to the server.
#[derive(Debug)]
pub struct Link {
    mode: AtomicU64,
    once: AtomicU8,
    resets: AtomicBool,
    ended: Notify,
    renames: bool,
}

impl Mode {
    /// Puts the mode into an atomic.
    pub fn encode(self) -> u64 {
        match self {
            Self::Pass => 0,
            Self::Forget => 1,
            Self::DelayRequests(delay) => 2 | u64::from(delay) << 8,
            Self::DelayReplies(delay) => 3 | u64::from(delay) << 8,
            Self::Drip => 4,
            Self::Slow => 5,
        }
    }

    /// Takes the mode out of an atomic.
    pub fn decode(word: u64) -> Self {
        let delay = u16::try_from(word >> 8).unwrap_or(u16::MAX);
        match word & 0xff {
            1 => Self::Forget,
            2 => Self::DelayRequests(delay),
            3 => Self::DelayReplies(delay),
            4 => Self::Drip,
            5 => Self::Slow,
            _ => Self::Pass,
        }
    }
}

impl Once {
    fn decode(word: u8) -> Self {
        let all = [Self::Nothing, Self::CutBefore, Self::AbortedAfter, Self::HalfRequest];
        all.get(usize::from(word)).copied().unwrap_or(Self::HalfReply)
    }
}

impl Link {
    /// Makes a connection; `renames` puts the name of the relay into replies that name the servers.
    pub fn new(mode: Mode, renames: bool) -> Self {
        Self {
            mode: AtomicU64::new(mode.encode()),
            once: AtomicU8::new(Once::Nothing as u8),
            resets: AtomicBool::new(false),
            ended: Notify::new(),
            renames,
        }
    }

    /// Changes how bytes pass from now on.
    pub fn set(&self, mode: Mode) {
        if self.mode() != Mode::Forget {
            self.mode.store(mode.encode(), Ordering::Relaxed);
        }
    }

    /// Lets bytes pass, unless the connection is forgotten.
    pub fn heal(&self) {
        self.once.store(Once::Nothing as u8, Ordering::Relaxed);
        self.set(Mode::Pass);
    }

    /// Lets something happen to the next bytes.
    pub fn arm(&self, once: Once) {
        self.once.store(once as u8, Ordering::Relaxed);
    }

    /// Ends the connection, unless it is forgotten: then nobody learns of it.
    pub fn aborted(&self, resets: bool) {
        if self.mode() != Mode::Forget {
            self.resets.store(resets, Ordering::Relaxed);
            self.ended.notify_one();
        }
    }

    /// Ends the connection if it is forgotten.
    pub fn wake(&self) {
        if self.mode() == Mode::Forget {
            self.mode.store(Mode::Pass.encode(), Ordering::Relaxed);
            self.aborted(true);
        }
    }

    fn mode(&self) -> Mode {
        Mode::decode(self.mode.load(Ordering::Relaxed))
    }

    /// Takes what is armed if it is one of these.
    fn take(&self, wanted: &[Once]) -> Once {
        let armed = Once::decode(self.once.load(Ordering::Relaxed));
        if wanted.contains(&armed) {
            self.once.store(Once::Nothing as u8, Ordering::Relaxed);
            return armed;
        }
        Once::Nothing
    }

    /// Reads what a client sends until it leaves.
    pub async fn swallow(&self, mut client: TcpStream) {
        let mut buffer = [0; 4096];
        let swallow =
            async { while client.read(&mut buffer).await.is_ok_and(|length| length > 0) {} };
        tokio::select! {
            () = swallow => {}
            () = self.ended.notified() => {}
        }
    }

    /// Passes bytes until one of the ends leaves, or the link is aborted.
    pub async fn run(&self, mut client: TcpStream, mut server: TcpStream) {
        // Pieces are to leave as they are.
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        {
            let (client_reads, client_writes) = client.split();
            let (server_reads, server_writes) = server.split();
            tokio::select! {
                () = self.requests(client_reads, server_writes) => {}
                () = self.replies(server_reads, client_writes) => {}
                () = self.ended.notified() => {}
            }
        }
        if self.resets.load(Ordering::Relaxed) {
            let _ = client.set_zero_linger();
            let _ = server.set_zero_linger();
        }
    }

    async fn requests(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let most = if self.mode() == Mode::Slow { 64 } else { buffer.len() };
            // The client's leaving ends the link, even if it is forgotten: nobody is there any more to be misled.
            let Ok(length @ 1..) = from.read(&mut buffer[..most]).await else { return };
            let part = &buffer[..length];
            let once = self.take(&[Once::CutBefore, Once::AbortedAfter, Once::HalfRequest]);
            match once {
                Once::CutBefore => return,
                Once::HalfRequest => {
                    let _ = to.write_all(&part[..length / 2]).await;
                    return;
                }
                _ => {}
            }
            match self.mode() {
                Mode::Forget => continue,
                Mode::DelayRequests(delay) => sleep(delay.into()).await,
                Mode::Slow => sleep(1).await,
                _ => {}
            }
            if self.write(&mut to, part).await.is_err() && self.mode() != Mode::Forget {
                return;
            }
            if once == Once::AbortedAfter {
                self.arm(once);
            }
        }
    }

    async fn replies(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from.read(&mut buffer).await else {
                return self.server_left().await;
            };
            let part = &mut buffer[..length];
            if self.renames {
                rename(part);
            }
            // Armed again by the request that went through.
            match self.take(&[Once::AbortedAfter, Once::HalfReply]) {
                Once::AbortedAfter => return,
                Once::HalfReply => {
                    let _ = to.write_all(&part[..length.div_ceil(2)]).await;
                    return;
                }
                _ => {}
            }
            match self.mode() {
                Mode::Forget => continue,
                Mode::DelayReplies(delay) => sleep(delay.into()).await,
                _ => {}
            }
            if self.write(&mut to, part).await.is_err() {
                return;
            }
        }
    }

    /// Lets a client learn that the server left, unless the connection is forgotten.
    async fn server_left(&self) {
        if self.mode() == Mode::Forget {
            std::future::pending::<()>().await;
        }
    }

    async fn write(&self, to: &mut (impl AsyncWrite + Unpin), part: &[u8]) -> std::io::Result<()> {
        if self.mode() != Mode::Drip {
            return to.write_all(part).await;
        }
        for piece in part.chunks(7) {
            to.write_all(piece).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Puts the address of the relay where a sentinel tells that of a server; both are equally long.
fn rename(part: &mut [u8]) {
    let server = b"127.0.0.1";
    for place in 0..part.len().saturating_sub(server.len() - 1) {
        if part[place..].starts_with(server) {
            part[place + server.len() - 1] = b'2';
        }
    }
}
