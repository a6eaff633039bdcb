//! The faults of servers: signals, commands, and another primary.

use std::{collections::BTreeMap, thread, time::Duration};

use fastrand::Rng;
use fred::util::redis_keyslot;
use retry_tests::{RedisCluster, RedisServer};

use crate::{
    calls::{SHARDS, key},
    faults::{Fault, pause},
    relay::Gate,
    topology::{AGREEMENT, Servers, Stage},
};

/// Makes a fault of servers; it is over when this returns, but for a primary that was replaced.
pub fn make(fault: Fault, stage: &mut Stage, random: &mut Rng) {
    let place = random.usize(..stage.servers.len());
    let alone = stage.servers.len() == 1;
    match fault {
        Fault::StopServer => {
            // Shorter than what makes the others replace it.
            let longest = if alone { 1_500 } else { 350 };
            stage.servers.get(place).pause();
            pause(random, 50..longest);
            stage.servers.get(place).resume();
        }
        Fault::KillClients => ask(stage, place, &["CLIENT", "KILL", "TYPE", "normal"]),
        Fault::PauseClients => {
            let time = random.u64(50..1_000);
            let which = if random.bool() { "ALL" } else { "WRITE" };
            ask(stage, place, &["CLIENT", "PAUSE", &time.to_string(), which]);
            thread::sleep(Duration::from_millis(time));
        }
        Fault::SleepServer => {
            let most = if alone { 10 } else { 3 };
            ask(stage, place, &["DEBUG", "SLEEP", &format!("0.{}", random.u8(1..most))]);
        }
        Fault::ReadOnly => {
            // Nobody answers there, so that the data stay.
            ask(stage, place, &["REPLICAOF", "127.0.0.1", "1"]);
            pause(random, 100..1_500);
            ask(stage, place, &["REPLICAOF", "NO", "ONE"]);
        }
        Fault::OutOfMemory => {
            ask(stage, place, &["CONFIG", "SET", "maxmemory", "1"]);
            pause(random, 50..800);
            ask(stage, place, &["CONFIG", "SET", "maxmemory", "0"]);
        }
        Fault::KillServer => kill_server(stage, random, 0..1_500),
        Fault::LongOutage => kill_server(stage, random, 3_000..8_000),
        Fault::MoveSlot => {
            if let Servers::Cluster(cluster) = &stage.servers {
                let families = ["list", "xadd", "once", "hash", "script", "queue"];
                let family = families[random.usize(..families.len())];
                move_slot(cluster, &stage.servers, &key(family, random.u64(..SHARDS)), random);
            }
        }
        _ => replace(fault, stage, random),
    }
}

/// Sends a command; whether the server takes it does not matter.
fn ask(stage: &Stage, place: usize, words: &[&str]) {
    let _ = stage.servers.get(place).try_command(words);
}

fn kill_server(stage: &mut Stage, random: &mut Rng, down: std::ops::Range<u64>) {
    if random.bool() {
        stage.relay.set_gate(Gate::Refuse);
    }
    stage.servers.get_mut(0).kill();
    pause(random, down);
    stage.servers.get_mut(0).restart();
    stage.servers.wait(AGREEMENT, |servers| servers.serves(0));
    stage.relay.heal();
}

/// Lets another server become a primary; the old one stays as it is until [`restore`].
fn replace(fault: Fault, stage: &mut Stage, random: &mut Rng) {
    // A replica that does not follow yet has not got what was acknowledged long ago.
    if !stage.servers.is_whole() {
        return;
    }
    let Some(old) = random.choice(stage.servers.primaries()) else { return };
    let before = stage.servers.roles();
    match fault {
        Fault::KillPrimary => stage.servers.get_mut(old).kill(),
        Fault::StopPrimary => {
            stage.servers.get(old).pause();
            stage.stopped = Some(old);
        }
        _ if !fail_over(&stage.servers, old) => return,
        _ => {}
    }
    if let Servers::Name(servers, primary) = &mut stage.servers {
        *primary = 1 - old;
        let _ = servers[*primary].try_command(&["REPLICAOF", "NO", "ONE"]);
        stage.relay.route(servers[0].port(), servers[*primary].port());
        if fault == Fault::FailOver {
            follow(&servers[old], servers[*primary].port());
        }
        return;
    }
    wait_for_another(&stage.servers, old, &before);
}

/// Waits until another server than the old one, which is not asked, has become a primary.
fn wait_for_another(servers: &Servers, old: usize, before: &BTreeMap<usize, String>) {
    let others = { 0..servers.len() }.filter(|place| *place != old).collect::<Vec<_>>();
    servers.wait(AGREEMENT, |servers| {
        others.iter().any(|place| before[place] != "master" && servers.role(*place) == "master")
    });
}

/// Asks for another primary; tells whether that was accepted.
fn fail_over(servers: &Servers, old: usize) -> bool {
    match servers {
        Servers::One(_) => false,
        Servers::Name(..) => true,
        Servers::Sentinel(all) => all.try_fail_over(),
        Servers::Cluster(cluster) => {
            let replica = { 0..servers.len() }.find(|place| follows(servers, *place, old));
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

fn follow(server: &RedisServer, port: u16) -> bool {
    let asked = server.try_command(&["REPLICAOF", "127.0.0.1", &port.to_string()]);
    asked.is_ok_and(|answer| answer.starts_with('+'))
}

/// Moves the slot of a key to another primary while it is in use.
fn move_slot(cluster: &RedisCluster, servers: &Servers, key: &str, random: &mut Rng) -> Option<()> {
    let slot = redis_keyslot(key.as_bytes()).to_string();
    let ask = |place: usize, words: &[&str]| cluster.node(place).try_command(words).ok();
    let owns =
        |place: &usize| ask(*place, &["TYPE", key]).is_some_and(|kind| kind.starts_with('+'));
    let primaries = servers.primaries();
    let from = primaries.iter().copied().find(owns)?;
    let to = random
        .choice(primaries.iter().copied().filter(|place| *place != from).collect::<Vec<_>>())?;
    let port = cluster.node(to).port().to_string();
    ask(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", cluster.id(from)])?;
    ask(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", cluster.id(to)])?;
    pause(random, 0..200);
    for _ in 0..100 {
        let keys = cluster.node(from).values(&["CLUSTER", "GETKEYSINSLOT", &slot, "10"]);
        if keys.is_empty() {
            break;
        }
        for key in keys {
            ask(from, &["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"])?;
        }
    }
    pause(random, 0..400);
    let others = primaries.iter().copied().filter(|place| *place != to);
    for place in std::iter::once(to).chain(others) {
        ask(place, &["CLUSTER", "SETSLOT", &slot, "NODE", cluster.id(to)])?;
    }
    Some(())
}

/// Brings back what a fault left behind, and waits until the servers agree; tells whether they do.
pub fn restore(stage: &mut Stage) -> bool {
    if let Some(place) = stage.stopped.take() {
        stage.servers.get(place).resume();
    }
    for place in 0..stage.servers.len() {
        if stage.servers.get_mut(place).is_down() {
            stage.servers.get_mut(place).restart();
        }
    }
    if let Servers::Name(pair, primary) = &stage.servers {
        // A server that still loads refuses.
        let (old, port) = (&pair[1 - primary], pair[*primary].port());
        stage.servers.wait(AGREEMENT, |_| follow(old, port));
    }
    stage.servers.wait(AGREEMENT, Servers::is_whole)
}
