//! Makes calls with tryhard and says nothing: the program that callgrind watches.

fn main() {
    retry_benches::run::main(&retry_benches_tryhard::sets());
}
