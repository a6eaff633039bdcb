//! The relay between the client and the servers, on a thread of its own: it makes the faults of the network.
//!
//! It shares no code with the proxy of the runtime, which is under test here with the client.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};

use crate::link::{Link, Mode, Once};

/// Where the relay listens, on the ports of the servers, which listen on `127.0.0.1`.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// What happens to new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// Nobody listens.
    Refuse,
    /// Taken, and never answered.
    Silent,
}

/// Relays the ports of the servers until the program ends.
#[derive(Debug, Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    gate: AtomicU8,
    /// The mode of connections that are new.
    mode: AtomicU64,
    next: AtomicU64,
    /// Where new connections to a port go, if not to the same port of the servers.
    routes: Mutex<BTreeMap<u16, u16>>,
    links: Mutex<BTreeMap<u64, Arc<Link>>>,
}

impl Relay {
    /// Listens before it returns; replies from the ports in `renamed` name the relay instead of the servers.
    ///
    /// # Panics
    ///
    /// If a port is taken.
    pub fn start(ports: &[u16], renamed: &[u16]) -> Self {
        let shared = Arc::new(Shared {
            gate: AtomicU8::new(Gate::Open as u8),
            mode: AtomicU64::new(Mode::Pass.encode()),
            next: AtomicU64::new(0),
            routes: Mutex::default(),
            links: Mutex::default(),
        });
        let relay = Self { shared };
        let (ready, listening) = mpsc::channel();
        let (all, relaying) = ([ports, renamed].concat(), relay.clone());
        let renamed = renamed.to_vec();
        // A stall of the client's runtime does not hold up what the network does.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                for port in all {
                    let listener = listen(port).await;
                    tokio::spawn(relaying.clone().serve(port, renamed.contains(&port), listener));
                }
                ready.send(()).expect("the relay is awaited");
                std::future::pending::<()>().await;
            });
        });
        listening.recv().expect("the relay listens");
        relay
    }

    async fn serve(self, port: u16, renames: bool, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            if self.gate() == Gate::Refuse {
                listener = None;
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let open = match listener.take() {
                Some(open) => open,
                None => listen(port).await,
            };
            let accepted = tokio::time::timeout(Duration::from_millis(2), open.accept()).await;
            listener = Some(open);
            if let Ok(Ok((client, _))) = accepted {
                tokio::spawn(self.clone().relay(port, renames, client));
            }
        }
    }

    async fn relay(self, port: u16, renames: bool, client: TcpStream) {
        let silent = self.gate() == Gate::Silent;
        let mode = Mode::decode(self.shared.mode.load(Ordering::Relaxed));
        let link = Arc::new(Link::new(if silent { Mode::Forget } else { mode }, renames));
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        self.links().insert(number, Arc::clone(&link));
        if silent {
            link.swallow(client).await;
        } else if let Ok(server) =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.target(port))).await
        {
            link.run(client, server).await;
        }
        self.links().remove(&number);
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Link>>> {
        self.shared.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self, port: u16) -> u16 {
        let routes = self.shared.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.get(&port).copied().unwrap_or(port)
    }

    /// Leads new connections to another server, as a name does that points elsewhere.
    pub fn route(&self, port: u16, target: u16) {
        let mut routes = self.shared.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.insert(port, target);
    }

    fn gate(&self) -> Gate {
        match self.shared.gate.load(Ordering::Relaxed) {
            0 => Gate::Open,
            1 => Gate::Refuse,
            _ => Gate::Silent,
        }
    }

    /// Changes what happens to new connections.
    pub fn set_gate(&self, gate: Gate) {
        self.shared.gate.store(gate as u8, Ordering::Relaxed);
    }

    /// Changes how bytes pass on the connections that are picked.
    pub fn set(&self, mode: Mode, pick: impl FnMut() -> bool) {
        self.each(pick, |link| link.set(mode));
    }

    /// Changes how bytes pass on connections that are new.
    pub fn set_new(&self, mode: Mode) {
        self.shared.mode.store(mode.encode(), Ordering::Relaxed);
    }

    /// Lets bytes pass again; what is forgotten stays so.
    pub fn heal(&self) {
        self.set_gate(Gate::Open);
        self.set_new(Mode::Pass);
        self.each(|| true, Link::heal);
    }

    /// Ends the connections that are forgotten, as a firewall that answers again.
    pub fn wake(&self) {
        self.each(|| true, Link::wake);
    }

    /// Lets something happen once to the next bytes on the connections that are picked.
    pub fn arm(&self, once: Once, pick: impl FnMut() -> bool) {
        self.each(pick, |link| link.arm(once));
    }

    /// Ends the connections that are picked.
    pub fn aborted(&self, pick: impl FnMut() -> bool) {
        self.each(pick, |link| link.aborted(false));
    }

    /// Ends the connections that are picked with a reset.
    pub fn reset(&self, pick: impl FnMut() -> bool) {
        self.each(pick, |link| link.aborted(true));
    }

    /// Returns the number of connections that the client has not ended.
    pub fn open(&self) -> usize {
        self.links().len()
    }

    /// Returns the number of connections that were ever made.
    pub fn made(&self) -> u64 {
        self.shared.next.load(Ordering::Relaxed)
    }

    fn each(&self, mut pick: impl FnMut() -> bool, act: impl Fn(&Link)) {
        self.links().values().filter(|_| pick()).for_each(|link| act(link));
    }
}

/// Listens on a port, which may have been let go a moment ago.
async fn listen(port: u16) -> TcpListener {
    for _ in 0..500 {
        match TcpListener::bind(SocketAddr::from((ADDRESS, port))).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the relay cannot listen on {ADDRESS}:{port}")
}
