//! A call can be spawned whenever a loop by hand could.
//!
//! Each body is put into an annotated function and into a hand-written loop, which drops a failure before it waits; for
//! both it is stated whether the future is `Send`, and the compiler is asked.
#![allow(
    clippy::await_holding_lock,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    dead_code
)]

use std::{
    cell::Cell,
    error::Error,
    fmt, io,
    marker::PhantomData,
    rc::Rc,
    sync::{Arc, LazyLock, Mutex, mpsc::Receiver},
    time::Duration,
};

use retry_runtime::{Aborted, CircuitBreaker, Constant, RetryPolicy, retryable};
use tokio::{task::yield_now, time::sleep};

const TWICE: RetryPolicy<Constant> = RetryPolicy::constant(Duration::ZERO).retries(1);

static CLOSED: LazyLock<CircuitBreaker> = LazyLock::new(CircuitBreaker::new);

/// Says whether a type is `Send`: the inherent method is there only if it is, and is preferred.
struct Probe<T>(PhantomData<T>);

impl<T: Send> Probe<T> {
    fn is_send(&self) -> bool {
        true
    }
}

trait NotSend {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> NotSend for Probe<T> {}

fn probe<F>(_never_called: impl Fn() -> F) -> Probe<F> {
    Probe(PhantomData)
}

/// Stands for an argument.
fn any<T>() -> T {
    unreachable!("only types are looked at")
}

/// `fn name(arguments) -> Type { body } = annotated, by hand;` and whether each is `Send`.
macro_rules! shapes {
    ($(#[$attribute:meta] fn $name:ident($($arg:pat => $ty:ty),*) -> $output:ty $body:block = $annotated:literal, $by_hand:literal;)*) => {
        mod annotated {
            use super::*;
            $(#[$attribute] pub(super) async fn $name($($arg: $ty),*) -> $output $body)*
        }

        mod by_hand {
            use super::*;
            $(pub(super) async fn $name($($arg: $ty),*) -> $output {
                let mut left = 2;
                loop {
                    {
                        let result = $body;
                        left -= 1;
                        if Result::is_ok(&result) || left == 0 {
                            return result;
                        }
                    }
                    sleep(Duration::ZERO).await;
                }
            })*
        }

        #[test]
        fn calls_can_be_spawned_as_those_of_a_loop_by_hand() {
            let asked = [$((
                stringify!($name),
                probe(|| annotated::$name($(any::<$ty>()),*)).is_send(),
                probe(|| by_hand::$name($(any::<$ty>()),*)).is_send(),
            )),*];
            let stated = [$((stringify!($name), $annotated, $by_hand)),*];
            assert_eq!(asked, stated);
        }
    };
}

/// Can be sent to another thread, and not be shared with it; as are requests of web servers.
struct Request {
    hits: Cell<usize>,
    policy: RetryPolicy<Constant>,
}

impl Request {
    fn hit(&self) -> usize {
        self.hits.replace(self.hits.get() + 1)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hits.get().fmt(formatter)
    }
}

struct State<T>(T);

/// As an error, the same.
#[derive(Debug)]
struct NotShared(Cell<u8>);

impl From<Aborted> for NotShared {
    fn from(_: Aborted) -> Self {
        Self(Cell::new(0))
    }
}

type Boxed = Box<dyn Error>;

fn is_boxed(_: &Boxed) -> bool {
    true
}

async fn fail<T, E>() -> Result<T, E> {
    any()
}

async fn look(_: &NotShared) {}

async fn repair() {}

shapes! {
    // What the operation returned is not kept during the wait.
    #[retryable(policy = TWICE, on = |_| true)]
    fn error() -> Result<u8, Boxed> { fail().await } = true, true;
    #[retryable(policy = TWICE, on = is_boxed)]
    fn error_named_by_a_function() -> Result<u8, Boxed> { fail().await } = true, true;
    #[retryable(policy = composite(constant(delay = "1s", on = is_boxed), exponential(on = |_| true)))]
    fn error_of_members() -> Result<u8, Boxed> { fail().await } = true, true;
    #[retryable(policy = TWICE)]
    fn value() -> io::Result<Rc<u8>> { fail().await } = true, true;
    #[retryable(policy = TWICE, on_ok = |value| **value == 0)]
    fn value_that_is_polled() -> io::Result<Rc<u8>> { fail().await } = true, true;

    // A limit may end the call after the wait, which keeps the error for that, but no value.
    #[retryable(policy = constant(delay = "1s", deadline = "9s", attempt_timeout = "1s"))]
    fn value_under_limits() -> io::Result<Rc<u8>> { fail().await } = true, true;
    #[retryable(policy = TWICE, on = |_| true, breaker = CLOSED)]
    fn error_under_guards() -> Result<Rc<u8>, NotShared> { fail().await } = true, true;
    #[retryable(policy = constant(delay = "1s", deadline = "9s"), on = is_boxed)]
    fn unsendable_error_under_limits() -> Result<u8, Boxed> { fail().await } = false, true;
    #[retryable(policy = constant(delay = "1s", deadline = "9s"), on_ok = |value| **value == 0)]
    fn polled_value_under_limits() -> io::Result<Rc<u8>> { fail().await } = false, true;

    // Hooks are awaited with the error at hand; only those that look at it while they wait share it.
    #[retryable(policy = TWICE, on = |_| true, before = |_| (), on_failure = |failure| assert!(failure.error().is_some()),
                on_give_up = |end| assert!(end.error().is_some()))]
    fn error_that_hooks_see() -> Result<Rc<u8>, NotShared> { fail().await } = true, true;
    #[retryable(policy = TWICE, on = |_| true, on_failure = async |_| repair().await, on_give_up = async |_| repair().await)]
    fn error_that_no_hook_looks_at() -> Result<Rc<u8>, NotShared> { fail().await } = true, true;
    #[retryable(policy = TWICE, on = |_| true, on_failure = |failure| { let _ = failure.error(); repair() })]
    fn error_that_a_hook_looks_at_before_it_waits() -> Result<Rc<u8>, NotShared> { fail().await } = true, true;
    #[retryable(policy = TWICE, on = |_| true, on_failure = async |failure| look(failure.error().unwrap()).await)]
    fn error_that_a_hook_looks_at_while_it_waits() -> Result<u8, NotShared> { fail().await } = false, true;

    // Arguments are the function's own, and not shared with the attempt.
    #[retryable(policy = TWICE)]
    fn request(request => Request) -> io::Result<usize> {
        { let hits = request.hit(); yield_now().await; Ok(hits + request.hit()) }
    } = true, true;
    #[retryable(policy = request.policy)]
    fn request_with_its_policy(request => Request) -> io::Result<usize> { Ok(request.hit()) } = true, true;
    #[retryable(policy = TWICE)]
    fn field(request => Request) -> io::Result<usize> { Ok(request.hits.get()) } = true, true;
    #[retryable(policy = TWICE)]
    fn lent(request => &mut Request) -> io::Result<usize> { yield_now().await; Ok(request.hit()) } = true, true;
    #[retryable(policy = TWICE)]
    fn shared(request => &'static Request) -> io::Result<usize> { Ok(request.hit()) } = false, false;
    #[retryable(policy = TWICE)]
    fn pattern(State(request) => State<Request>) -> io::Result<usize> { Ok(request.hit()) } = true, true;
    #[retryable(policy = TWICE)]
    fn formatted(request => Request) -> io::Result<usize> { Ok(format!("{request}").len()) } = true, true;
    #[retryable(policy = TWICE)]
    fn receiver(receiver => Receiver<u8>) -> io::Result<u8> { yield_now().await; Ok(receiver.try_recv().unwrap_or(1)) } = true, true;
    #[retryable(policy = TWICE)]
    fn function(function => Box<dyn Fn() -> u8 + Send>) -> io::Result<u8> { yield_now().await; Ok(function()) } = true, true;
    #[retryable(policy = TWICE)]
    fn hidden(request => Request) -> Result<impl fmt::Display, io::Error> { Ok(request.hit()) } = true, true;
    #[retryable(policy = TWICE)]
    fn held_across_an_await(request => Request) -> io::Result<usize> {
        { let shared = &request; yield_now().await; Ok(shared.hit()) }
    } = false, false;

    // What keeps a loop by hand on its thread keeps ours there.
    #[retryable(policy = TWICE)]
    fn counted(value => Rc<u8>) -> io::Result<u8> { yield_now().await; Ok(*value) } = false, false;
    #[retryable(policy = TWICE)]
    fn locked(value => Arc<Mutex<u8>>) -> io::Result<u8> {
        { let guard = value.lock().unwrap(); yield_now().await; Ok(*guard) }
    } = false, false;
}

impl Request {
    #[retryable(policy = self.policy)]
    async fn by_mut(&mut self) -> io::Result<usize> {
        yield_now().await;
        Ok(self.hits.get())
    }

    #[retryable(policy = TWICE, attempt = attempt)]
    async fn by_value(self) -> io::Result<usize> {
        yield_now().await;
        if attempt > 1 { Ok(self.hit()) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    }

    #[retryable(policy = TWICE)]
    async fn by_box(self: Box<Self>) -> io::Result<usize> {
        yield_now().await;
        Ok(self.hit())
    }

    /// What is borrowed for the caller is not borrowed exclusively for the attempt.
    #[retryable(policy = TWICE)]
    async fn borrowed(&mut self) -> io::Result<&Cell<usize>> {
        Ok(&self.hits)
    }
}

#[test]
fn methods_can_be_spawned_as_well() {
    assert!(probe(|| Request::by_mut(any())).is_send());
    assert!(probe(|| Request::by_value(any())).is_send());
    assert!(probe(|| Request::by_box(any())).is_send());
}

#[tokio::test]
async fn an_argument_is_the_same_in_every_attempt() {
    let mut request = Request { hits: Cell::new(7), policy: TWICE };
    assert_eq!(request.borrowed().await.unwrap().get(), 7);
    assert_eq!(request.by_mut().await.unwrap(), 7);
    assert_eq!(request.by_value().await.unwrap(), 7);
}
