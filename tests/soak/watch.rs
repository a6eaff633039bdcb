//! What the process uses: memory, and files that are open.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Looks at the memory of the process until it is dropped.
#[derive(Debug)]
pub struct Watch {
    highest: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Starts looking.
    pub fn start() -> Self {
        let watch = Self { highest: Arc::default(), stop: Arc::default() };
        let (highest, stop) = (Arc::clone(&watch.highest), Arc::clone(&watch.stop));
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                highest.fetch_max(memory(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        });
        watch
    }

    /// Returns the most kilobytes that were seen.
    pub fn highest(&self) -> u64 {
        self.highest.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Returns the kilobytes of memory that the process has; zero where the system does not tell.
pub fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Returns the number of files and connections that the process has open.
pub fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
