use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};

/// What happens to a command on its way to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed before the server sees the command.
    CutBefore,
    /// The server executes the command; its reply is lost with the connection.
    LoseReply,
    /// The server executes the command; half of its reply arrives before the connection is closed.
    HalfReply,
    /// The server executes the command; nothing more arrives on the connection, which stays open.
    HoldReply,
    /// The server executes the command; its reply is delayed by this time.
    Delay(Duration),
    /// The server executes the command; the client gets bytes that are not a reply.
    Garble,
    /// The server does not see the command; the client gets this error.
    ///
    /// Within `MULTI`, the server sees a command that it rejects, as it would have rejected this one; instead of `EXEC` it
    /// sees `DISCARD`.
    ErrorInstead(String),
    /// The server does not see the command; the client gets this error after this time.
    ErrorLater(Duration, String),
}

/// A proxy in front of a server that injects faults into chosen commands.
///
/// It pairs commands and replies by their order, so it does not work for subscriptions.
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
    /// How many more connections are closed as soon as they are made.
    refused: u32,
    /// The bytes of all commands, in order, since they were first asked for.
    recorded: Option<Vec<Vec<u8>>>,
}

impl FaultProxy {
    /// Starts a proxy in front of the server on `server_port`; it ends when it is dropped.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if no port is available.
    pub async fn start(server_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let accept = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if !is_refused(&shared) {
                    connections.spawn(serve(client, server_port, Arc::clone(&shared)));
                }
            }
        });
        Ok(Self { port, state, accept })
    }

    /// Returns the port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Injects a fault into the next `times` commands of this name.
    pub fn inject(&self, command: &str, fault: Fault, times: u32) {
        self.lock().faults.insert(command.to_owned(), (fault, times));
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.lock().faults.clear();
    }

    /// Closes the next `times` connections as soon as they are made.
    pub fn refuse(&self, times: u32) {
        self.lock().refused = times;
    }

    /// Returns how often clients sent a command.
    pub fn sent(&self, command: &str) -> u32 {
        self.lock().sent.get(command).copied().unwrap_or(0)
    }

    /// Returns the bytes of all commands that clients sent since the last call; the first call begins the recording.
    pub fn take_recorded(&self) -> Vec<Vec<u8>> {
        self.lock().recorded.replace(Vec::new()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// The answer to a command; answers come in the order of the commands.
enum Answer {
    /// The reply of the server, perhaps changed by a fault.
    Reply(Option<Fault>),
    /// An error of ours.
    Own(Duration, String),
    /// An error of ours in place of the reply of the server.
    Replaced(String),
}

/// Carries commands and replies until one side ends, or a fault ends both.
async fn serve(client: TcpStream, server_port: u16, state: Arc<Mutex<State>>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (answers, expected) = unbounded_channel();
    tokio::select! {
        _ = carry_commands(from_client, to_server, &state, &answers) => {}
        _ = carry_replies(from_server, to_client, expected) => {}
    }
}

async fn carry_commands(
    from_client: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
    state: &Mutex<State>,
    answers: &UnboundedSender<Answer>,
) -> io::Result<()> {
    let mut from_client = BufReader::new(from_client);
    let mut in_multi = false;
    while let Some((name, mut bytes)) = read_command(&mut from_client).await? {
        let answer = match fault_of(state, &name, &bytes) {
            Some(Fault::CutBefore) => break,
            Some(Fault::ErrorInstead(text)) if in_multi => {
                let word = if name == "EXEC" { "DISCARD" } else { "REFUSED" };
                bytes = format!("*1\r\n$7\r\n{word}\r\n").into_bytes();
                Answer::Replaced(text)
            }
            Some(Fault::ErrorInstead(text)) => Answer::Own(Duration::ZERO, text),
            Some(Fault::ErrorLater(delay, text)) => Answer::Own(delay, text),
            fault => Answer::Reply(fault),
        };
        let forwards = !matches!(answer, Answer::Own(..));
        in_multi = name == "MULTI" && forwards || in_multi && name != "EXEC";
        let _ = answers.send(answer);
        if forwards {
            to_server.write_all(&bytes).await?;
        }
    }
    Ok(())
}

async fn carry_replies(
    from_server: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    mut expected: UnboundedReceiver<Answer>,
) -> io::Result<()> {
    let mut from_server = BufReader::new(from_server);
    while let Some(answer) = expected.recv().await {
        let fault = match answer {
            Answer::Reply(fault) => fault,
            Answer::Own(delay, text) => {
                tokio::time::sleep(delay).await;
                to_client.write_all(format!("-{text}\r\n").as_bytes()).await?;
                continue;
            }
            Answer::Replaced(text) => {
                read_reply(&mut from_server).await?;
                to_client.write_all(format!("-{text}\r\n").as_bytes()).await?;
                continue;
            }
        };
        let reply = read_reply(&mut from_server).await?;
        match fault {
            Some(Fault::LoseReply) => break,
            Some(Fault::HalfReply) => {
                to_client.write_all(&reply[..reply.len() / 2]).await?;
                break;
            }
            Some(Fault::HoldReply) => std::future::pending().await,
            Some(Fault::Garble) => to_client.write_all(b"\xffno reply\r\n").await?,
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                to_client.write_all(&reply).await?;
            }
            _ => to_client.write_all(&reply).await?,
        }
    }
    Ok(())
}

fn is_refused(state: &Mutex<State>) -> bool {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = state.refused > 0;
    state.refused = state.refused.saturating_sub(1);
    refused
}

fn fault_of(state: &Mutex<State>, name: &str, bytes: &[u8]) -> Option<Fault> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(recorded) = &mut state.recorded {
        recorded.push(bytes.to_vec());
    }
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
    if !bytes.starts_with(b"*") {
        // fred asks for RESP3 by a line of text.
        let line = String::from_utf8_lossy(&bytes).to_uppercase();
        let name = line.split_whitespace().next().unwrap_or_default();
        return Ok(Some((name.to_owned(), bytes)));
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

/// Reads one reply, with all that is in it; returns its bytes.
async fn read_reply(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut open = 1;
    while open > 0 {
        open -= 1;
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let is_null = line.get(1) == Some(&b'-');
        match line[0] {
            b'$' | b'=' | b'!' if !is_null => {
                let mut body = vec![0; number(&line) + 2];
                reader.read_exact(&mut body).await?;
                line.extend(body);
            }
            b'*' | b'~' | b'>' if !is_null => open += number(&line),
            b'%' => open += 2 * number(&line),
            _ => {}
        }
        bytes.extend(line);
    }
    Ok(bytes)
}

/// Reads the number of a line such as `*3` or `$5`.
fn number(line: &[u8]) -> usize {
    let digits = line.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
