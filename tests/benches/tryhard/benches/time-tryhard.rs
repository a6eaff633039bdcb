//! Times tryhard, in a program of its own.

#[path = "../../benches/support/mod.rs"]
mod support;

fn main() {
    support::time(&retry_benches_tryhard::sets());
}
