use std::{
    collections::BTreeSet,
    fmt::Display,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fred::{error::Error, interfaces::FredResult};
use retry_runtime::{Classify, Disposition};
use tokio::task::JoinSet;

/// How long a load may need until something happens that a test waits for; only a bug takes so long.
const PATIENCE: Duration = Duration::from_secs(40);

/// Tasks that call without a pause, and what became of every call.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    next: AtomicU64,
    tally: Mutex<Tally>,
}

/// What became of the calls, each of which has a number of its own.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Calls that answered.
    pub acknowledged: BTreeSet<u64>,
    /// Calls whose error says that they may have been executed.
    pub unknown: BTreeSet<u64>,
    /// Errors of the calls that were not executed.
    pub refused: Vec<Error>,
    /// The texts of the unknown outcomes, each once.
    pub texts: BTreeSet<String>,
    /// The longest time without an answer.
    pub longest_gap: Duration,
    last_answer: Option<Instant>,
}

impl Load {
    /// Starts so many tasks, each of which makes one call after the other; a call gets a number that no other has.
    pub fn start<F, Fut>(tasks: usize, call: F) -> Self
    where
        F: Fn(u64) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = FredResult<()>> + Send + 'static,
    {
        let shared = Arc::<Shared>::default();
        let mut set = JoinSet::new();
        for _ in 0..tasks {
            let (shared, call) = (Arc::clone(&shared), call.clone());
            set.spawn(async move {
                while !shared.stop.load(Ordering::Relaxed) {
                    let number = shared.next.fetch_add(1, Ordering::Relaxed);
                    let result = call(number).await;
                    shared.lock().count(number, result);
                }
            });
        }
        Self { shared, tasks: set }
    }

    /// Waits until so many more calls are answered.
    ///
    /// # Panics
    ///
    /// If they are not in a time in which only a bug can hold them back.
    pub async fn answers(&self, more: usize) {
        let until = self.shared.lock().acknowledged.len() + more;
        self.wait(|tally| tally.acknowledged.len() >= until).await;
    }

    /// Waits until so many more calls have ended in doubt.
    ///
    /// # Panics
    ///
    /// If they have not in a time in which only a bug can hold them back.
    pub async fn doubts(&self, more: usize) {
        let until = self.shared.lock().unknown.len() + more;
        self.wait(|tally| tally.unknown.len() >= until).await;
    }

    async fn wait(&self, done: impl Fn(&Tally) -> bool) {
        let begin = Instant::now();
        while !done(&self.shared.lock()) {
            let tally = self.tally();
            assert!(begin.elapsed() < PATIENCE, "the load makes no progress: {}", tally.line());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns what became of the calls so far.
    pub fn tally(&self) -> Tally {
        self.shared.lock().clone()
    }

    /// Ends the tasks after their calls, and returns what became of all.
    ///
    /// # Panics
    ///
    /// If a task panicked, or a call does not end.
    pub async fn stop(mut self) -> Tally {
        self.shared.stop.store(true, Ordering::Relaxed);
        let all = async {
            while let Some(task) = self.tasks.join_next().await {
                task.expect("a call panicked");
            }
        };
        let ended = tokio::time::timeout(PATIENCE, all).await;
        assert!(ended.is_ok(), "a call does not end: {}", self.tally().line());
        self.tally()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn count(&mut self, number: u64, result: FredResult<()>) {
        let now = Instant::now();
        match result {
            Ok(()) => {
                let gap = self.last_answer.replace(now).map_or(Duration::ZERO, |last| now - last);
                self.longest_gap = self.longest_gap.max(gap);
                self.acknowledged.insert(number);
            }
            Err(error) if error.disposition() == Disposition::Unknown => {
                self.texts.insert(error.to_string());
                self.unknown.insert(number);
            }
            Err(error) => self.refused.push(error),
        }
    }

    /// Prints the figures of a run beside what the server executed.
    pub fn report(&self, scenario: &str, executed: impl Display) {
        println!("{scenario} | {} | executed {executed}", self.line());
        println!("    {:?}", self.texts);
    }

    fn line(&self) -> String {
        let refused = self.refused.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        format!(
            "acknowledged {} | unknown {} | refused {} {refused:?} | longest gap {:?}",
            self.acknowledged.len(),
            self.unknown.len(),
            self.refused.len(),
            self.longest_gap
        )
    }

    /// Checks that a counter is as high as the answers say, and not higher than the doubts allow.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn check_counter(&self, scenario: &str, counter: u64) {
        self.report(scenario, counter);
        let (acknowledged, unknown) = (self.acknowledged.len() as u64, self.unknown.len() as u64);
        assert!(counter >= acknowledged, "{scenario}: acknowledged writes are lost");
        assert!(counter <= acknowledged + unknown, "{scenario}: something was executed twice");
    }

    /// Checks that a list holds each number at most once: all that were acknowledged, and none that failed for sure.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn check_list(&self, scenario: &str, list: &[String]) {
        self.report(scenario, list.len());
        let numbers = list.iter().map(|text| text.parse().expect("a number"));
        let numbers = numbers.collect::<BTreeSet<u64>>();
        assert_eq!(numbers.len(), list.len(), "{scenario}: a value is there twice");
        let lost = self.acknowledged.difference(&numbers).collect::<Vec<_>>();
        assert!(lost.is_empty(), "{scenario}: acknowledged values are lost: {lost:?}");
        let allowed = |number| self.acknowledged.contains(number) || self.unknown.contains(number);
        assert!(numbers.iter().all(allowed), "{scenario}: a value is there that was refused");
    }
}
