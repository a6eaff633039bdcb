use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// What happens to a command on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before the server sees the command.
    CutBefore,
    /// The server executes the command; its reply is lost with the connection.
    LoseReply,
    /// The server executes the command, and the client waits for the reply for ever.
    HoldReply,
    /// The server does not see the command; the client gets this error.
    ErrorInstead(String),
}

/// A proxy in front of a server that makes faults with certain commands.
///
/// The commands of a connection are handled one after the other; a test that sends faulty commands in a pipeline gets
/// the fault of the first.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    state: Arc<Mutex<State>>,
    accept: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Faults by command, and how many more times each happens.
    faults: HashMap<String, (Fault, u32)>,
    /// How often each command was sent by the client.
    sent: HashMap<String, u32>,
}

impl FaultProxy {
    /// Starts a proxy in front of the server on `server_port`; it ends when it is dropped.
    ///
    /// # Panics
    ///
    /// If no port can be had.
    pub async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let accept = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, server_port, Arc::clone(&shared)));
            }
        });
        Self { port, state, accept }
    }

    /// Returns the port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a fault with the next `times` commands of this name.
    pub fn inject(&self, command: &str, fault: Fault, times: u32) {
        self.lock().faults.insert(command.to_owned(), (fault, times));
    }

    /// Returns how often clients sent a command.
    pub fn sent(&self, command: &str) -> u32 {
        self.lock().sent.get(command).copied().unwrap_or(0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

async fn serve(client: TcpStream, server_port: u16, state: Arc<Mutex<State>>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let to_client = Arc::new(tokio::sync::Mutex::new(to_client));
    let replies = Arc::clone(&to_client);
    let held = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let holds = Arc::clone(&held);
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let copy = tokio::spawn(async move {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            if holds.load(std::sync::atomic::Ordering::SeqCst) {
                let _ = answered.send(());
            } else if replies.lock().await.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
        let _ = replies.lock().await.shutdown().await;
    });
    let _ = forward(from_client, to_server, &to_client, &state, &held, &mut answers).await;
    copy.abort();
}

/// Forwards commands until the end of the connection, or until a fault ends it.
async fn forward(
    from_client: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
    to_client: &tokio::sync::Mutex<OwnedWriteHalf>,
    state: &Mutex<State>,
    held: &std::sync::atomic::AtomicBool,
    answers: &mut tokio::sync::mpsc::UnboundedReceiver<()>,
) -> io::Result<()> {
    let mut from_client = BufReader::new(from_client);
    while let Some((name, bytes)) = read_command(&mut from_client).await? {
        match fault_of(state, &name) {
            None => to_server.write_all(&bytes).await?,
            Some(Fault::CutBefore) => return Ok(()),
            Some(Fault::ErrorInstead(text)) => {
                to_client.lock().await.write_all(format!("-{text}\r\n").as_bytes()).await?;
            }
            Some(fault) => {
                held.store(true, std::sync::atomic::Ordering::SeqCst);
                to_server.write_all(&bytes).await?;
                answers.recv().await;
                if fault == Fault::LoseReply {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn fault_of(state: &Mutex<State>, name: &str) -> Option<Fault> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    *state.sent.entry(name.to_owned()).or_default() += 1;
    let (fault, times) = state.faults.get_mut(name)?;
    *times = times.checked_sub(1)?;
    Some(fault.clone())
}

/// Reads one command, an array of bulk strings; returns its name in capitals and all its bytes.
async fn read_command(
    reader: &mut BufReader<OwnedReadHalf>,
) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let mut name = String::new();
    for _ in 0..number(&bytes) {
        let mut header = Vec::new();
        reader.read_until(b'\n', &mut header).await?;
        let mut word = vec![0; number(&header) + 2];
        reader.read_exact(&mut word).await?;
        if name.is_empty() {
            name = String::from_utf8_lossy(&word[..word.len() - 2]).to_uppercase();
        }
        bytes.extend([header, word].concat());
    }
    Ok(Some((name, bytes)))
}

/// Reads the number of a line such as `*3` or `$5`.
fn number(line: &[u8]) -> usize {
    let digits = line.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
