//! A relay to a server, whose connections can be forgotten as a firewall does: no end, no error, no answer.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Relays every connection to one port of this machine, until the runtime of the test ends.
#[derive(Debug, Clone)]
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: AtomicU16,
    accepted: AtomicU32,
    /// Connections from before it swallow everything.
    generation: AtomicU32,
    /// Bytes a second to the client; zero is as fast as it goes.
    rate: AtomicU64,
}

impl Relay {
    /// Starts a relay to `port`.
    ///
    /// # Panics
    ///
    /// If nothing can listen on the loopback interface.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let shared = Arc::new(Shared {
            to: AtomicU16::new(port),
            accepted: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            rate: AtomicU64::new(0),
        });
        let port = listener.local_addr().expect("bound").port();
        let relay = Self { port, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Arc::clone(&shared), client));
            }
        });
        relay
    }

    /// Returns the port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many connections were made.
    pub fn accepted(&self) -> u32 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Forgets the connections that there are; new ones work.
    pub fn forget(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Leads new connections to another port.
    pub fn lead_to(&self, port: u16) {
        self.shared.to.store(port, Ordering::SeqCst);
    }

    /// Slows down what goes to the client.
    pub fn limit(&self, bytes_per_second: u64) {
        self.shared.rate.store(bytes_per_second, Ordering::SeqCst);
    }
}

async fn serve(shared: Arc<Shared>, client: TcpStream) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", shared.to.load(Ordering::SeqCst))).await?;
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let generation = shared.generation.load(Ordering::SeqCst);
    let up = pass(&shared, generation, from_client, to_server, false);
    let down = pass(&shared, generation, from_server, to_client, true);
    tokio::try_join!(up, down).map(|_| ())
}

async fn pass(
    shared: &Shared,
    generation: u32,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    is_limited: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if shared.generation.load(Ordering::SeqCst) != generation {
            if read == 0 {
                // Not even the end arrives.
                std::future::pending::<()>().await;
            }
            continue;
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let rate = shared.rate.load(Ordering::SeqCst);
        if is_limited && rate > 0 {
            let micros = read as u64 * 1_000_000 / rate;
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
