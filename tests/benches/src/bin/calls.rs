//! Makes calls in one form and says nothing: the program that callgrind watches.
//!
//! `calls <first|failing> <form> <calls> <failures>`, or `calls list`.

fn main() {
    retry_benches::run::main(&retry_benches::run::Sets::all());
}
