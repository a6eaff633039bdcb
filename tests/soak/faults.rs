//! What goes wrong, one fault after the other, and at times many at once.

use std::{thread, time::Duration};

use fastrand::Rng;

use crate::{
    link::{Mode, Once},
    relay::Gate,
    topology::{NODE_TIMEOUT, Servers, Stage, Topology},
};

/// How long servers may need until they agree on another primary.
const AGREEMENT: Duration = Duration::from_secs(40);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Something happens to the next bytes of some connections, a few times.
    Next(Next),
    DelayRequests,
    DelayReplies,
    Drip,
    SlowReader,
    /// Some connections swallow everything from now on; new ones work.
    ForgetSome,
    ForgetAll,
    /// All connections swallow everything, and new ones are refused for a while.
    ForgetAndRefuse,
    Refuse,
    Silent,
    Reset,
    Close,
    /// Many of these in a short time.
    Storm,
    KillServer,
    StopServer,
    KillClients,
    PauseClients,
    SleepServer,
    ReadOnly,
    OutOfMemory,
    /// The servers are asked to replace a primary.
    FailOver,
    KillPrimary,
    /// A primary stands still until it is replaced.
    StopPrimary,
}

/// What happens to the next bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    CutBefore,
    CutAfter,
    HalfRequest,
    HalfReply,
}

const NETWORK: [Fault; 16] = [
    Fault::Next(Next::CutBefore),
    Fault::Next(Next::CutAfter),
    Fault::Next(Next::HalfRequest),
    Fault::Next(Next::HalfReply),
    Fault::DelayRequests,
    Fault::DelayReplies,
    Fault::Drip,
    Fault::SlowReader,
    Fault::ForgetSome,
    Fault::ForgetAll,
    Fault::ForgetAndRefuse,
    Fault::Refuse,
    Fault::Silent,
    Fault::Reset,
    Fault::Close,
    Fault::Storm,
];

impl Fault {
    /// Returns the faults that a topology can have.
    pub fn all(topology: Topology) -> Vec<Self> {
        let servers = [Self::StopServer, Self::KillClients, Self::PauseClients, Self::SleepServer];
        let more: &[Self] = match topology {
            Topology::Single | Topology::Pool => {
                &[Self::KillServer, Self::ReadOnly, Self::OutOfMemory]
            }
            Topology::Cluster | Topology::Sentinel => {
                &[Self::FailOver, Self::KillPrimary, Self::StopPrimary, Self::OutOfMemory]
            }
        };
        [&NETWORK, &servers[..], more].concat()
    }

    /// Returns the name in reports.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Tells whether another server becomes a primary, with which acknowledged writes can be lost.
    pub fn moves_primary(self) -> bool {
        matches!(self, Self::FailOver | Self::KillPrimary | Self::StopPrimary)
    }

    /// Makes the fault; it is over when this returns.
    pub fn make(self, stage: &mut Stage, random: &mut Rng) {
        let some = |random: &mut Rng| {
            let (share, mut random) = (random.u8(1..=4), random.fork());
            move || random.u8(..4) < share
        };
        let (mode, while_new) = match self {
            Self::DelayRequests => (Mode::DelayRequests(random.u16(20..500)), true),
            Self::DelayReplies => (Mode::DelayReplies(random.u16(20..500)), true),
            Self::Drip => (Mode::Drip, true),
            Self::SlowReader => (Mode::Slow, true),
            Self::ForgetSome => return stage.relay.set(Mode::Forget, some(random)),
            Self::ForgetAll => return stage.relay.set(Mode::Forget, || true),
            Self::Reset => return stage.relay.reset(some(random)),
            Self::Close => return stage.relay.cut(some(random)),
            Self::Next(next) => return several(next, stage, random),
            Self::Storm => return storm(stage, random),
            Self::ForgetAndRefuse => (Mode::Forget, false),
            Self::Refuse | Self::Silent => (Mode::Pass, false),
            _ => return self.of_servers(stage, random),
        };
        match self {
            Self::Silent => stage.relay.set_gate(Gate::Silent),
            Self::Refuse | Self::ForgetAndRefuse => stage.relay.set_gate(Gate::Refuse),
            _ => {}
        }
        stage.relay.set(mode, || true);
        if while_new {
            stage.relay.set_new(mode);
        }
        if matches!(self, Self::Silent | Self::Refuse) {
            stage.relay.cut(|| true);
        }
        pause(random, 100..1_500);
        stage.relay.heal();
    }

    fn of_servers(self, stage: &mut Stage, random: &mut Rng) {
        let place = random.usize(..stage.servers.len());
        let server = stage.servers.get(place);
        match self {
            Self::StopServer => {
                // Shorter than what makes the others replace it.
                let longest = if stage.servers.len() == 1 { 1_500 } else { 350 };
                server.pause();
                pause(random, 50..longest);
                stage.servers.get(place).resume();
            }
            Self::KillClients => {
                let _ = server.try_command(&["CLIENT", "KILL", "TYPE", "normal"]);
            }
            Self::PauseClients => {
                let time = random.u64(50..1_000);
                let which = if random.bool() { "ALL" } else { "WRITE" };
                let _ = server.try_command(&["CLIENT", "PAUSE", &time.to_string(), which]);
                thread::sleep(Duration::from_millis(time));
            }
            Self::SleepServer => {
                let most = if stage.servers.len() == 1 { 10 } else { 3 };
                let time = format!("0.{}", random.u8(1..most));
                let _ = server.try_command(&["DEBUG", "SLEEP", &time]);
            }
            Self::ReadOnly => {
                // Nobody answers there, so that the data stay.
                let _ = server.try_command(&["REPLICAOF", "127.0.0.1", "1"]);
                pause(random, 100..1_500);
                let _ = stage.servers.get(place).try_command(&["REPLICAOF", "NO", "ONE"]);
            }
            Self::OutOfMemory => {
                let _ = server.try_command(&["CONFIG", "SET", "maxmemory", "1"]);
                pause(random, 50..800);
                let _ = stage.servers.get(place).try_command(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            Self::KillServer => kill_server(stage, random, place),
            _ => self.of_primaries(stage, random),
        }
    }

    fn of_primaries(self, stage: &mut Stage, random: &mut Rng) {
        let primaries = stage.servers.primaries();
        let Some(old) = random.choice(primaries) else { return };
        let begin = stage.servers.roles();
        let replaced = |servers: &Servers| {
            { 0..servers.len() }.any(|place| {
                place != old && servers.role(place) == "master" && begin[&place] != "master"
            })
        };
        match self {
            Self::FailOver => {
                if !fail_over(&stage.servers, old) {
                    return;
                }
            }
            Self::KillPrimary => stage.servers.get_mut(old).kill(),
            _ => stage.servers.get(old).pause(),
        }
        match (&stage.servers, self) {
            // A stopped server does not tell its role, and need not be asked.
            (servers, Self::StopPrimary) => wait_for_others(servers, old, &begin),
            (servers, _) => {
                servers.wait(AGREEMENT, replaced);
            }
        }
        if self == Self::StopPrimary {
            stage.servers.get(old).resume();
        }
    }
}

/// Waits until another server than the one that stands still has become a primary.
fn wait_for_others(
    servers: &Servers,
    old: usize,
    begin: &std::collections::BTreeMap<usize, String>,
) {
    let others = { 0..servers.len() }.filter(|place| *place != old).collect::<Vec<_>>();
    servers.wait(AGREEMENT, |servers| {
        others.iter().any(|place| servers.role(*place) == "master" && begin[place] != "master")
    });
}

/// Asks for another primary; tells whether that was accepted.
fn fail_over(servers: &Servers, old: usize) -> bool {
    match servers {
        Servers::One(_) => false,
        Servers::Sentinel(all) => all.try_fail_over(),
        Servers::Cluster(cluster) => {
            let replica = { 0..6 }.find(|place| follows(servers, *place, old));
            replica.is_some_and(|replica| {
                let asked = cluster.node(replica).try_command(&["CLUSTER", "FAILOVER"]);
                asked.is_ok_and(|answer| answer.starts_with('+'))
            })
        }
    }
}

fn follows(servers: &Servers, place: usize, primary: usize) -> bool {
    let port = servers.get(primary).port();
    let role = servers.get(place).try_command(&["ROLE"]).unwrap_or_default();
    role.contains("slave") && role.contains(&format!(":{port}\r\n"))
}

fn kill_server(stage: &mut Stage, random: &mut Rng, place: usize) {
    let refuses = random.bool();
    if refuses {
        stage.relay.set_gate(Gate::Refuse);
    }
    stage.servers.get_mut(place).kill();
    pause(random, 0..1_500);
    stage.servers.get_mut(place).restart();
    stage.servers.wait(AGREEMENT, |servers| servers.serves(place));
    stage.relay.heal();
}

fn several(next: Next, stage: &Stage, random: &mut Rng) {
    let once = match next {
        Next::CutBefore => Once::CutBefore,
        Next::CutAfter => Once::CutAfter,
        Next::HalfRequest => Once::HalfRequest,
        Next::HalfReply => Once::HalfReply,
    };
    for _ in 0..random.u8(1..=4) {
        let mut chance = random.fork();
        stage.relay.arm(once, || chance.bool());
        pause(random, 20..150);
    }
    stage.relay.heal();
}

fn storm(stage: &Stage, random: &mut Rng) {
    for _ in 0..random.u8(10..60) {
        let mut chance = random.fork();
        let pick = move || chance.u8(..3) == 0;
        match random.u8(..9) {
            0 => stage.relay.arm(Once::CutBefore, pick),
            1 => stage.relay.arm(Once::CutAfter, pick),
            2 => stage.relay.arm(Once::HalfRequest, pick),
            3 => stage.relay.arm(Once::HalfReply, pick),
            4 => stage.relay.set(Mode::Forget, pick),
            5 => stage.relay.set(Mode::DelayReplies(random.u16(10..400)), pick),
            6 => stage.relay.set(Mode::DelayRequests(random.u16(10..400)), pick),
            7 => stage.relay.reset(pick),
            _ => stage.relay.cut(pick),
        }
        pause(random, 2..60);
    }
    stage.relay.heal();
}

fn pause(random: &mut Rng, milliseconds: std::ops::Range<u64>) {
    thread::sleep(Duration::from_millis(random.u64(milliseconds)));
}

/// Brings everything back that a fault left behind, and waits until the servers agree; tells whether they do.
pub fn restore(stage: &mut Stage) -> bool {
    for place in 0..stage.servers.len() {
        if stage.servers.get_mut(place).is_down() {
            stage.servers.get_mut(place).restart();
        }
    }
    stage.servers.wait(AGREEMENT + NODE_TIMEOUT, Servers::is_whole)
}
