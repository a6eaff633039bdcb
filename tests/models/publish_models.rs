use loom::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use crate::{explore, publish::publish, together};

#[test]
fn what_is_shown_in_the_end_is_what_there_is_in_the_end() {
    for threads in [2, 3] {
        explore(threads, "threads that change a level and show it", move || {
            let (level, gauge) = (Arc::new(AtomicU32::new(10)), Arc::new(AtomicU32::new(10)));
            let shared = (Arc::clone(&level), Arc::clone(&gauge));
            let change = move |thread: usize| {
                let (level, gauge) = &shared;
                match thread {
                    0 => level.fetch_sub(3, Ordering::Relaxed),
                    _ => level.fetch_add(1, Ordering::Relaxed),
                };
                publish(
                    || level.load(Ordering::Relaxed),
                    |level| gauge.store(level, Ordering::Relaxed),
                );
            };
            match threads {
                2 => drop(together::<2, _>(change)),
                _ => drop(together::<3, _>(change)),
            }
            assert_eq!(gauge.load(Ordering::Relaxed), level.load(Ordering::Relaxed));
        });
    }
}
