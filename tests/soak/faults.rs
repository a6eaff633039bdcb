//! What goes wrong, one fault after the other, and at times many at once.

use std::{thread, time::Duration};

use fastrand::Rng;

use crate::{
    link::{Mode, Once},
    outages,
    relay::Gate,
    topology::{Stage, Topology},
};

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
    /// The same for seconds, in which much piles up.
    LongOutage,
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
    /// A slot of a cluster moves to another node, with its keys.
    MoveSlot,
}

/// What happens to the next bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    CutBefore,
    AbortedAfter,
    HalfRequest,
    HalfReply,
}

const NETWORK: [Fault; 16] = [
    Fault::Next(Next::CutBefore),
    Fault::Next(Next::AbortedAfter),
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
                &[Self::KillServer, Self::LongOutage, Self::ReadOnly, Self::OutOfMemory]
            }
            Topology::Cluster => &[
                Self::FailOver,
                Self::KillPrimary,
                Self::StopPrimary,
                Self::OutOfMemory,
                Self::MoveSlot,
            ],
            Topology::Sentinel | Topology::Name => {
                &[Self::FailOver, Self::KillPrimary, Self::StopPrimary, Self::OutOfMemory]
            }
        };
        [&NETWORK, &servers[..], more].concat()
    }

    /// Returns the name in reports.
    pub fn name(self) -> String {
        match self {
            Self::Next(next) => format!("{next:?}"),
            fault => format!("{fault:?}"),
        }
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
            Self::Close => return stage.relay.aborted(some(random)),
            Self::Next(next) => return several(next, stage, random),
            Self::Storm => return storm(stage, random),
            Self::ForgetAndRefuse => (Mode::Forget, false),
            Self::Refuse | Self::Silent => (Mode::Pass, false),
            _ => return outages::make(self, stage, random),
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
            stage.relay.aborted(|| true);
        }
        pause(random, 100..1_500);
        stage.relay.heal();
    }
}

fn several(next: Next, stage: &Stage, random: &mut Rng) {
    let once = match next {
        Next::CutBefore => Once::CutBefore,
        Next::AbortedAfter => Once::AbortedAfter,
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
            1 => stage.relay.arm(Once::AbortedAfter, pick),
            2 => stage.relay.arm(Once::HalfRequest, pick),
            3 => stage.relay.arm(Once::HalfReply, pick),
            4 => stage.relay.set(Mode::Forget, pick),
            5 => stage.relay.set(Mode::DelayReplies(random.u16(10..400)), pick),
            6 => stage.relay.set(Mode::DelayRequests(random.u16(10..400)), pick),
            7 => stage.relay.reset(pick),
            _ => stage.relay.aborted(pick),
        }
        pause(random, 2..60);
    }
    stage.relay.heal();
}

/// Lets time pass.
pub fn pause(random: &mut Rng, milliseconds: std::ops::Range<u64>) {
    thread::sleep(Duration::from_millis(random.u64(milliseconds)));
}
