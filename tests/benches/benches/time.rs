//! Times every form but those of tryhard.

use retry_benches::run::Sets;

mod support;

fn main() {
    support::time(&Sets::all());
}
