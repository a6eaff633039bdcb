//! Hooks see every attempt, failure and end, and borrow the arguments of the function.

use std::io;

use retry_runtime::retryable;

#[retryable(
    policy = constant(delay = "10ms", retries = 1),
    before = |attempt| println!("{name}: attempt {}", attempt.number()),
    on_failure = async |failure| println!("{name}: {failure}; next in {:?}", failure.delay()),
    on_give_up = |give_up| println!("{name}: {give_up}"),
)]
async fn connect(name: &str) -> io::Result<()> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let result = connect("primary").await;
    println!("the caller gets the operation's own error: {result:?}");
}
