//! Compares what the client said with what the servers executed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, UNIX_EPOCH},
};

use retry_tests::RedisServer;

use crate::{
    calls::CONTENDED,
    kind::{KINDS, Kind},
    ledger::{Effect, Ledger, Told},
    topology::Servers,
};

/// How much later than an error a write may arrive without being called late: clocks and threads are no better.
const MARGIN: u32 = 5;

/// Findings by the kind of call.
pub type Findings = BTreeMap<String, Vec<String>>;

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Executed more than once, though nobody agreed.
    pub doubled: Findings,
    /// Acknowledged, but not executed.
    pub lost: Findings,
    /// Told not to be executed, but executed.
    pub ghosts: Findings,
    /// Transactions executed in part, and updates that were overwritten.
    pub torn: Findings,
    /// Calls that never ended.
    pub pending: usize,
    /// Executed more than once by calls whose callers agreed.
    pub doubled_with_consent: usize,
    /// Acknowledged while a primary was replaced, and lost with it.
    pub lost_with_primary: usize,
    /// Acknowledged pushes to a queue that nobody took, and pops in doubt that may have taken them.
    pub untaken: usize,
    pub doubtful_pops: u64,
    /// Executed after the caller had an error: how many, and milliseconds at most.
    pub late: usize,
    pub latest: u32,
    /// The same after the caller had dropped the call.
    pub late_dropped: usize,
    pub effects: usize,
    pub executed: usize,
}

/// What the servers hold of each effect.
struct Found {
    times: Vec<u32>,
    /// Milliseconds since the start, of what tells its time.
    when: Vec<Option<u32>>,
    start: u64,
}

impl Found {
    fn count(&mut self, id: &str, times: u32, when: Option<u64>) {
        let Ok(id) = id.parse::<usize>() else { return };
        if let Some(found) = self.times.get_mut(id) {
            *found += times;
            let since = when.map(|when| when.saturating_sub(self.start));
            self.when[id] = since.map(|since| u32::try_from(since).unwrap_or(u32::MAX));
        }
    }

    fn read(&mut self, server: &RedisServer) {
        for key in keys(server, "list") {
            page(server, &["LRANGE", &key], |values| {
                values.iter().for_each(|id| self.count(id, 1, None));
            });
        }
        for key in keys(server, "stream") {
            self.read_stream(server, &key);
        }
        for (kind, words) in [("hash", "HKEYS"), ("set", "SMEMBERS")] {
            for key in keys(server, kind) {
                let values = server.values(&[words, &key]);
                values.iter().for_each(|id| self.count(id, 1, None));
            }
        }
        for key in keys(server, "zset") {
            let values = server.values(&["ZRANGE", &key, "0", "-1"]);
            values.iter().for_each(|id| self.count(id, 1, None));
        }
        self.read_counters(server);
    }

    fn read_stream(&mut self, server: &RedisServer, key: &str) {
        let mut from = "-".to_owned();
        loop {
            let values = server.values(&["XRANGE", key, &from, "+", "COUNT", "5000"]);
            for entry in values.chunks_exact(3) {
                let when = entry[0].split('-').next().and_then(|text| text.parse().ok());
                self.count(&entry[2], 1, when);
            }
            match values.chunks_exact(3).next_back() {
                Some(last) => from = format!("({}", last[0]),
                None => return,
            }
        }
    }

    /// Each counter belongs to one effect and tells how often it was executed.
    fn read_counters(&mut self, server: &RedisServer) {
        const CODE: &str = "local page = redis.call('SCAN', ARGV[1], 'MATCH', 'c:*', 'COUNT', 5000)
            local all = { page[1] }
            for _, key in ipairs(page[2]) do
                all[#all + 1] = key
                all[#all + 1] = redis.call('GET', key)
            end
            return all";
        let mut cursor = "0".to_owned();
        let mut seen = BTreeSet::new();
        loop {
            let values = server.values(&["EVAL", CODE, "0", &cursor]);
            for pair in values[1..].chunks_exact(2) {
                // A scan may tell a key twice.
                let id = pair[0].rsplit([':', '}']).next().unwrap_or_default();
                if seen.insert(id.to_owned()) {
                    self.count(id, pair[1].parse().unwrap_or(0), None);
                }
            }
            cursor.clone_from(&values[0]);
            if cursor == "0" {
                return;
            }
        }
    }
}

fn keys(server: &RedisServer, kind: &str) -> Vec<String> {
    let (mut cursor, mut all) = ("0".to_owned(), Vec::new());
    loop {
        let values = server.values(&["SCAN", &cursor, "COUNT", "20000", "TYPE", kind]);
        all.extend_from_slice(&values[1..]);
        cursor.clone_from(&values[0]);
        if cursor == "0" {
            all.sort_unstable();
            all.dedup();
            return all;
        }
    }
}

fn page(server: &RedisServer, words: &[&str], mut each: impl FnMut(&[String])) {
    const PAGE: usize = 5_000;
    for from in (0..).step_by(PAGE) {
        let (first, last) = (from.to_string(), (from + PAGE - 1).to_string());
        let values = server.values(&[words, &[&first, &last]].concat());
        each(&values);
        if values.len() < PAGE {
            return;
        }
    }
}

/// Reads everything from the servers and compares it.
pub fn judge(servers: &Servers, ledger: &Ledger, excused: &[(u32, u32)]) -> Verdict {
    let effects = ledger.effects();
    let start = ledger.start_of_day.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let mut found = Found {
        times: vec![0; effects.len()],
        when: vec![None; effects.len()],
        start: u64::try_from(start.as_millis()).unwrap_or(u64::MAX),
    };
    for place in servers.primaries() {
        found.read(servers.get(place));
    }
    for (id, times) in ledger.popped() {
        found.count(&id.to_string(), times, None);
    }
    let mut verdict = Verdict { effects: effects.len(), ..Verdict::default() };
    // What a new primary had not yet heard to be taken from a queue is taken again.
    let takes_again = !excused.is_empty();
    for (id, effect) in effects.iter().enumerate() {
        let excuse = excused.iter().any(|(from, to)| (*from..=*to).contains(&effect.at));
        let times = found.times[id];
        let is_taken_again = takes_again && effect.kind == Kind::Queue as u8;
        let times = if is_taken_again { times.min(1) } else { times };
        judge_one(&mut verdict, id, effect, times, excuse);
        judge_time(&mut verdict, effect, found.when[id]);
    }
    judge_pairs(&mut verdict, &effects, &found);
    judge_counters(&mut verdict, servers);
    let pops = ledger.calls().remove(&(Kind::Pop as u8)).unwrap_or_default();
    verdict.doubtful_pops = pops.told.get(&Told::Unknown).copied().unwrap_or(0);
    if verdict.untaken as u64 > verdict.doubtful_pops {
        let line = format!("{} elements, {} pops in doubt", verdict.untaken, verdict.doubtful_pops);
        add(&mut verdict.lost, "queues", line);
    }
    verdict
}

fn add(findings: &mut Findings, kind: &str, line: String) {
    findings.entry(kind.to_owned()).or_default().push(line);
}

fn judge_one(verdict: &mut Verdict, id: usize, effect: &Effect, times: u32, excuse: bool) {
    let kind = KINDS[usize::from(effect.kind)];
    let line = || {
        let at = f64::from(effect.at) / 1000.0;
        format!("{id} told {:?} at {at:.1} s, executed {times} times", effect.told)
    };
    let add = |findings: &mut Findings| add(findings, kind.name(), line());
    verdict.executed += usize::from(times > 0);
    match (effect.told, times) {
        (Told::Pending, _) => verdict.pending += 1,
        (Told::Done, 0) if kind == Kind::Queue && !excuse => verdict.untaken += 1,
        (Told::Done, 0) if excuse && kind != Kind::Kept => verdict.lost_with_primary += 1,
        (Told::Done, 0) => add(&mut verdict.lost),
        (Told::NotExecuted, 1..) => add(&mut verdict.ghosts),
        _ => {}
    }
    if times > 1 {
        match kind {
            _ if kind.consents() => verdict.doubled_with_consent += 1,
            _ => add(&mut verdict.doubled),
        }
    }
}

fn judge_time(verdict: &mut Verdict, effect: &Effect, when: Option<u32>) {
    let Some(late) = when.and_then(|when| when.checked_sub(effect.at)) else { return };
    if late <= MARGIN {
        return;
    }
    match effect.told {
        Told::Dropped => verdict.late_dropped += 1,
        Told::Unknown | Told::NotExecuted | Told::Permanent | Told::Alone => {
            verdict.late += 1;
            verdict.latest = verdict.latest.max(late);
        }
        Told::Done | Told::Pending => {}
    }
}

/// Both writes of a transaction happen, or none.
fn judge_pairs(verdict: &mut Verdict, effects: &[Effect], found: &Found) {
    for (id, effect) in effects.iter().enumerate() {
        let partner = id + 1;
        if effect.kind == Kind::Multi as u8
            && effect.is_first
            && found.times[id] != found.times[partner]
        {
            let (one, other) = (found.times[id], found.times[partner]);
            let line = format!("{id}: its writes were executed {one} and {other} times");
            add(&mut verdict.torn, Kind::Multi.name(), line);
        }
    }
}

/// A transaction counts up and logs its number: the counter is as high as the log is long, or updates are lost.
fn judge_counters(verdict: &mut Verdict, servers: &Servers) {
    for shard in 0..CONTENDED {
        let number = |words: &[&str]| -> u64 {
            servers.values(words).first().and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let counter = number(&["GET", &format!("{{t{shard}}}n")]);
        let logged = number(&["LLEN", &format!("{{t{shard}}}log")]);
        if counter != logged {
            let line = format!("counter {shard} is {counter} after {logged}");
            add(&mut verdict.torn, Kind::Transaction.name(), line);
        }
    }
}
