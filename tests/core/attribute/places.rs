//! Rules, policies and the predicates of `on_ok` are lent to a call from wherever they live.

use std::{
    cell::Cell,
    io,
    sync::{Arc, LazyLock},
    time::Duration,
};

use retry_runtime::{
    Constant, Failure, RetryPolicy, failure::FailureInfo, policy::Rule, retryable,
};

use super::compiler::compile;

/// A rule that cannot be copied.
struct Transient {
    words: Vec<&'static str>,
}

impl<C> Rule<io::Error, C> for Transient {
    fn allows(&self, failure: &Failure<'_, io::Error>, _: &C) -> bool {
        failure.error().is_some_and(|error| self.words.contains(&error.to_string().as_str()))
    }

    fn info(&self, _: &Failure<'_, io::Error>, _: &C) -> FailureInfo {
        FailureInfo::NONE
    }
}

fn transient() -> Transient {
    Transient { words: vec!["busy"] }
}

static RULE: LazyLock<Transient> = LazyLock::new(transient);
static FUNCTION: fn(&io::Error) -> bool = is_busy;
static POLICY: LazyLock<RetryPolicy<Constant>> =
    LazyLock::new(|| RetryPolicy::constant(Duration::ZERO).retries(1));
const GROWTH: f64 = 3.0;
const ENOUGH: Duration = Duration::from_secs(1);

fn is_busy(error: &io::Error) -> bool {
    error.to_string() == "busy"
}

type Predicate<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

struct Client {
    rule: Transient,
    shared: Arc<Transient>,
    named: Predicate<io::Error>,
    wanted: Predicate<u32>,
    calls: Cell<u32>,
}

impl Client {
    fn new() -> Self {
        Self {
            rule: transient(),
            shared: Arc::new(transient()),
            named: Box::new(is_busy),
            wanted: Box::new(|calls| *calls < 2),
            calls: Cell::new(0),
        }
    }

    fn call(&self) -> io::Result<u32> {
        self.calls.set(self.calls.get() + 1);
        Err(io::Error::other("busy"))
    }

    #[retryable(policy = POLICY, on = self.rule)]
    async fn field(&self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on = &self.rule)]
    async fn reference(&mut self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on = self.shared)]
    async fn arc(&self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on = self.named)]
    async fn boxed(&self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on = RULE)]
    async fn lazy(&self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = constant(delay = "0s", retries = 1, on = FUNCTION))]
    async fn of_a_member(&self) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on = is_named)]
    async fn argument(&self, is_named: impl Fn(&io::Error) -> bool) -> io::Result<u32> {
        self.call()
    }

    #[retryable(policy = POLICY, on_ok = self.wanted)]
    async fn polled(&self) -> io::Result<u32> {
        self.calls.set(self.calls.get() + 1);
        Ok(self.calls.get())
    }
}

#[tokio::test]
async fn rules_are_lent_from_any_place() {
    let mut client = Client::new();
    assert!(client.field().await.is_err());
    assert_eq!(client.calls.take(), 2, "a field");
    assert!(client.reference().await.is_err());
    assert_eq!(client.calls.take(), 2, "a reference to a field");
    assert!(client.arc().await.is_err());
    assert_eq!(client.calls.take(), 2, "a shared rule");
    assert!(client.boxed().await.is_err());
    assert_eq!(client.calls.take(), 2, "a boxed closure");
    assert!(client.lazy().await.is_err());
    assert_eq!(client.calls.take(), 2, "a static");
    assert!(client.of_a_member().await.is_err());
    assert_eq!(client.calls.take(), 2, "a function in a static");
    assert!(client.argument(|error| error.to_string() == "busy").await.is_err());
    assert_eq!(client.calls.take(), 2, "an argument");
    assert!(client.argument(|_| false).await.is_err());
    assert_eq!(client.calls.take(), 1, "an argument that says no");
    assert_eq!(client.polled().await.unwrap(), 2, "a predicate in a box");
}

/// Settings that are named constants are a part of the program, not of the future, as literals are.
#[tokio::test]
async fn settings_that_are_constants_cost_no_room() {
    #[retryable(policy = exponential(base_delay = ENOUGH, max_delay = Duration::from_secs(5), factor = GROWTH))]
    async fn named() -> io::Result<()> {
        Ok(())
    }
    #[retryable(policy = exponential(base_delay = "1s", max_delay = "5s", factor = 3))]
    async fn literal() -> io::Result<()> {
        Ok(())
    }
    assert_eq!(size_of_val(&named()), size_of_val(&literal()));
    named().await.unwrap();
    literal().await.unwrap();
}

/// Generic parameters are constants of the function.
#[tokio::test]
async fn settings_may_be_generic_constants() {
    #[retryable(policy = constant(delay = "0s", retries = N), on = |_| true)]
    async fn call<const N: u32>(client: &Client) -> io::Result<u32> {
        client.call()
    }
    let client = Client::new();
    assert!(call::<4>(&client).await.is_err());
    assert_eq!(client.calls.get(), 5);
}

/// The compiler evaluates them when it makes code, so `cargo check` does not find what `cargo build` does.
#[test]
fn settings_that_are_constants_are_checked_by_the_compiler() {
    let program = |settings: &str| {
        format!(
            "use retry_runtime::{{Jitter, retryable}}; use std::{{io, time::Duration}};
             const SHORT: Duration = Duration::from_millis(1); const SHRINKS: f64 = 0.5;
             #[retryable(policy = {settings})] pub async fn call() -> io::Result<()> {{ Ok(()) }}
             fn main() {{ drop(std::pin::pin!(call()).as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))); }}"
        )
    };
    let refused = [
        (
            "exponential(base_delay = \"1s\", max_delay = SHORT)",
            "`max_delay` is below `base_delay`",
        ),
        ("exponential(factor = SHRINKS)", "`factor` is not a finite number of at least 1"),
        ("constant(delay = SHORT, jitter = Jitter::Decorrelated)", "so this `jitter` does nothing"),
    ];
    for (settings, message) in refused {
        let said = compile(&program(settings), &["--emit=obj"]).expect_err(settings);
        assert!(said.contains(message), "{said}");
    }
    compile(&program("exponential(base_delay = SHORT, max_delay = \"1s\")"), &["--emit=obj"])
        .expect("possible settings");
}
