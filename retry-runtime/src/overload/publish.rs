use super::sync::{Ordering, fence};

/// Shows a value that other threads change and show as well.
///
/// Two threads may change it in one order and show it in the other, and the older value would stay until the next
/// change. So whoever has shown a value looks again, and shows what it has become.
pub(super) fn publish<T: PartialEq + Copy>(read: impl Fn() -> T, show: impl Fn(T)) {
    let mut shown = read();
    loop {
        // Of two threads, one sees the change of the other, or has shown its value first.
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
