use super::sync::{Ordering, fence};

/// Publishes a value that other threads change and publish as well.
///
/// Two threads can change it in one order and publish in the other; the older value would then stay until the next
/// change. So a thread that has published a value reads it again, and publishes any newer one.
pub(super) fn publish<T: PartialEq + Copy>(read: impl Fn() -> T, show: impl Fn(T)) {
    let mut shown = read();
    loop {
        // Of two threads, one sees the change of the other, or published its value first.
        fence(Ordering::SeqCst);
        show(shown);
        fence(Ordering::SeqCst);
        let now = read();
        if now == shown {
            return;
        }
        shown = now;
    }
}
