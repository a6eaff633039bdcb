//! The attribute works on every shape of function, and the futures can be spawned.
#![allow(clippy::all, clippy::pedantic)]

use std::{future::Future, io, pin::Pin, sync::Arc};

use retry_runtime::{Constant, RetryPolicy, retryable};

const FAST: RetryPolicy<Constant> = RetryPolicy::constant(std::time::Duration::ZERO);

type IoResult<T> = io::Result<T>;

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// Fails until called often enough.
fn step(calls: &mut u32, successes_at: u32) -> io::Result<u32> {
    *calls += 1;
    if *calls < successes_at { Err(refused()) } else { Ok(*calls) }
}

#[derive(Debug)]
struct Service {
    calls: u32,
    policy: RetryPolicy<Constant>,
}

impl Service {
    const fn new() -> Self {
        Self { calls: 0, policy: FAST }
    }

    fn bump(&mut self) -> io::Result<u32> {
        step(&mut self.calls, 3)
    }

    #[retryable(policy = self.policy)]
    async fn by_mut(&mut self) -> io::Result<u32> {
        tokio::task::yield_now().await;
        self.bump()
    }

    #[retryable(policy = FAST)]
    async fn by_ref(&self, calls: &mut u32) -> io::Result<u32> {
        tokio::task::yield_now().await;
        step(calls, 3)
    }

    #[retryable(policy = FAST)]
    async fn by_value(self, calls: &mut u32) -> io::Result<u32> {
        let _ = self.calls;
        step(calls, 3)
    }

    #[retryable(policy = FAST)]
    async fn by_arc(self: Arc<Self>, calls: &mut u32) -> io::Result<u32> {
        let _ = Arc::clone(&self);
        step(calls, 3)
    }

    #[retryable(policy = FAST)]
    async fn by_pin(mut self: Pin<&mut Self>) -> io::Result<u32> {
        self.as_mut().get_mut().bump()
    }
}

trait Push {
    async fn push(&mut self, value: u32) -> io::Result<u32>;

    #[retryable(policy = FAST)]
    async fn push_twice(&mut self, value: u32) -> io::Result<u32> {
        self.push(value).await?;
        self.push(value).await
    }
}

impl Push for Service {
    #[retryable(policy = FAST)]
    async fn push(&mut self, value: u32) -> io::Result<u32> {
        Ok(self.bump()? + value)
    }
}

#[retryable(policy = FAST)]
async fn generic<'a, T, const N: usize>(values: &'a [T; N], calls: &mut u32) -> io::Result<&'a T>
where
    T: Sync,
{
    step(calls, 3)?;
    Ok(&values[0])
}

#[retryable(policy = FAST)]
async fn impl_trait(
    name: impl AsRef<str> + Send + Sync,
    calls: &mut u32,
) -> io::Result<impl std::fmt::Display> {
    step(calls, 3)?;
    Ok(name.as_ref().to_owned())
}

#[retryable(policy = FAST)]
async fn patterns(
    (left, right): (u32, u32),
    [first, ..]: [u32; 3],
    #[allow(unused)] calls: &mut u32,
    #[cfg(any())] absent: Missing,
) -> IoResult<u32> {
    step(calls, 3)?;
    Ok(left + right + first)
}

#[retryable(policy = FAST)]
async unsafe fn not_safe(calls: &mut u32) -> io::Result<u32> {
    step(calls, 3)
}

#[retryable(policy = FAST, attempt = attempt)]
async fn returns_anywhere(calls: &mut u32) -> io::Result<Vec<u32>> {
    let values = vec![step(calls, 2)?, attempt];
    let inner = || -> Option<u32> { Some(values.first().copied()? + 1) };
    if inner().is_none() {
        return Err(refused());
    }
    let (left, right) = tokio::join!(async { Ok::<_, io::Error>(step(calls, 3)?) }, async {
        Ok::<_, io::Error>(1)
    });
    println!("{} {}", left?, right?);
    return Ok(values);
}

#[retryable(policy = FAST)]
async fn question_mark_in_macros(calls: &mut u32) -> io::Result<Vec<u32>> {
    Ok(vec![step(calls, 3)?])
}

#[retryable(policy = FAST)]
async fn recursive(depth: u32, calls: &mut u32) -> io::Result<u32> {
    if depth == 0 {
        return step(calls, 3);
    }
    Box::pin(recursive(depth - 1, calls)).await
}

macro_rules! make {
    ($name:ident, $call:ident) => {
        #[retryable(policy = FAST)]
        async fn $name($call: &mut u32) -> io::Result<u32> {
            step($call, 3)
        }
    };
}
make!(from_macro, call);

#[retryable(policy = FAST, on = |error| error.kind() == io::ErrorKind::ConnectionRefused, attempt = number,
            before = async |attempt| assert!(attempt.number() > 0),
            on_failure = async |failure| assert_eq!(failure.operation(), "hooked"),
            on_give_up = |give_up| assert!(give_up.attempt() > 0))]
async fn hooked(session: &str, call: &str, outcome: &mut u32) -> io::Result<u32> {
    tokio::task::yield_now().await;
    let _ = (session, call);
    step(outcome, number + 1).or_else(|error| if number < 3 { Err(error) } else { Ok(number) })
}

fn inner_attributes_and_nesting() -> impl Future<Output = io::Result<u32>> + Send {
    async {
        #[retryable(policy = FAST)]
        async fn nested(calls: &mut u32) -> io::Result<u32> {
            #![allow(unused_variables)]
            //! Inner documentation.
            let unused = 1;
            step(calls, 3)
        }
        nested(&mut 0).await
    }
}

/// Shows that the future is `Send`, by running it on another thread.
async fn spawned<T: Send + 'static>(
    future: impl Future<Output = io::Result<T>> + Send + 'static,
) -> T {
    tokio::spawn(future).await.expect("joins").expect("succeeds at the third attempt")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers() {
    assert_eq!(spawned(async { Service::new().by_mut().await }).await, 3);
    assert_eq!(spawned(async { Service::new().by_ref(&mut 0).await }).await, 3);
    assert_eq!(spawned(async { Service::new().by_value(&mut 0).await }).await, 3);
    assert_eq!(spawned(async { Arc::new(Service::new()).by_arc(&mut 0).await }).await, 3);
    assert_eq!(spawned(async { Pin::new(&mut Service::new()).by_pin().await }).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traits() {
    assert_eq!(spawned(async { Service::new().push(10).await }).await, 13);
    assert_eq!(spawned(async { Service::new().push_twice(10).await }).await, 14);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments() {
    assert_eq!(spawned(async { generic(&[7, 8], &mut 0).await.copied() }).await, 7);
    assert_eq!(spawned(async { Ok(impl_trait("name", &mut 0).await?.to_string()) }).await, "name");
    assert_eq!(spawned(async { patterns((1, 2), [3, 4, 5], &mut 0).await }).await, 6);
    assert_eq!(spawned(async { unsafe { not_safe(&mut 0).await } }).await, 3);
    assert_eq!(spawned(async { hooked("", "", &mut 0).await }).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn early_returns_never_bypass_the_retry() {
    assert_eq!(spawned(async { returns_anywhere(&mut 0).await }).await, [2, 2]);
    assert_eq!(spawned(async { question_mark_in_macros(&mut 0).await }).await, [3]);
    assert_eq!(spawned(async { recursive(2, &mut 0).await }).await, 3);
    assert_eq!(spawned(async { from_macro(&mut 0).await }).await, 3);
    assert_eq!(spawned(inner_attributes_and_nesting()).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_closure_form_is_send_with_hooks_that_borrow() {
    let value = spawned(async {
        let name = String::from("borrowed");
        let calls = std::sync::atomic::AtomicU32::new(0);
        let succeed = || async {
            assert_eq!(name, "borrowed");
            if calls.load(std::sync::atomic::Ordering::Relaxed) < 2 {
                Err(refused())
            } else {
                Ok(7)
            }
        };
        FAST.retry(succeed)
            .on_failure(async |failure| {
                tokio::task::yield_now().await;
                assert!(failure.error().is_some() && !name.is_empty());
                calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            })
            .on_give_up(async |give_up| assert_eq!(give_up.attempt(), 0, "succeeds"))
            .await
    });
    assert_eq!(value.await, 7);
}

mod no_prelude {
    #![no_implicit_prelude]

    #[::retry_runtime::retryable(policy = constant(delay = "0s"))]
    pub(crate) async fn bare(value: u32) -> ::std::io::Result<u32> {
        ::std::result::Result::Ok(value)
    }

    #[::retry_runtime::retryable(before = |_| (), on_failure = |_| (), on_give_up = |_| ())]
    pub(crate) async fn hooked(value: u32) -> ::std::io::Result<u32> {
        ::std::result::Result::Ok(value)
    }
}

mod renamed {
    pub(crate) mod toolkit {
        pub(crate) use ::retry_runtime::__private;
        pub(crate) use ::retry_runtime::*;
    }

    #[::retry_runtime::retryable(policy = never(), crate = crate::signatures::renamed::toolkit)]
    pub(crate) async fn bare(value: u32) -> std::io::Result<u32> {
        Ok(value)
    }
}

#[tokio::test]
async fn paths_are_absolute() {
    assert_eq!(no_prelude::bare(1).await.unwrap(), 1);
    assert_eq!(no_prelude::hooked(1).await.unwrap(), 1);
    assert_eq!(renamed::bare(1).await.unwrap(), 1);
}

/// A name that is also that of an argument.
mod policies {
    pub(crate) const fn blocking() -> super::RetryPolicy<super::Constant> {
        super::FAST
    }
}

#[retryable(policy = policies::blocking())]
async fn named_like_an_argument(calls: &mut u32) -> io::Result<u32> {
    step(calls, 2)
}

#[tokio::test]
async fn only_an_argument_makes_a_function_blocking() {
    assert_eq!(named_like_an_argument(&mut 0).await.unwrap(), 2);
}
