//! Attributes above ours, which rewrite the function before ours sees it, and functions by hand that look the same.

use std::{cell::Cell, future::Future, io, pin::Pin, rc::Rc};

use retry_runtime::retryable;

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn third() -> io::Result<u32> {
    CALLS.set(CALLS.get() + 1);
    if CALLS.get() < 3 { Err(refused()) } else { Ok(CALLS.get()) }
}

#[tokio::main(flavor = "current_thread")]
#[retryable(policy = constant(delay = "1ms"))]
async fn runs_in_a_runtime() -> io::Result<(u32, tokio::runtime::Id)> {
    tokio::task::yield_now().await;
    Ok((third()?, tokio::runtime::Handle::current().id()))
}

#[test]
fn main_is_retried_in_one_runtime() {
    CALLS.set(0);
    assert_eq!(runs_in_a_runtime().unwrap().0, 3);
}

#[tokio::test(start_paused = true)]
#[retryable(policy = constant(delay = "1h"), attempt = attempt)]
async fn a_test_is_retried() -> io::Result<()> {
    tokio::task::yield_now().await;
    if attempt < 3 { Err(refused()) } else { Ok(()) }
}

/// What `#[async_recursion]` makes.
#[retryable(policy = constant(delay = "0s"), on = |_| true)]
fn boxed<'a>(
    depth: u32,
    calls: &'a mut u32,
) -> Pin<Box<dyn Future<Output = io::Result<u32>> + Send + 'a>> {
    Box::pin(async move {
        if depth > 0 {
            return boxed(depth - 1, calls).await;
        }
        *calls += 1;
        if *calls < 3 {
            return Err(refused());
        }
        Ok(*calls)
    })
}

#[tokio::test]
async fn a_boxed_future_is_retried() {
    let (mut calls, thread) = (0, Rc::new(()));
    assert_eq!(tokio::spawn(async { boxed(0, &mut 0).await.unwrap() }).await.unwrap(), 3);
    assert_eq!(boxed(2, &mut calls).await.unwrap(), 3);
    drop(thread);
}

/// What `#[actix_web::main]` makes.
#[retryable(policy = constant(delay = "1ms"))]
fn by_hand(runtime: &tokio::runtime::Runtime) -> io::Result<u32> {
    runtime.block_on(async move { third() })
}

#[test]
fn a_block_that_is_run_to_its_end_is_retried_inside() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    CALLS.set(0);
    assert_eq!(by_hand(&runtime).unwrap(), 3);
}

/// Whose own runtime is made for each attempt, as it says.
#[retryable(blocking, policy = constant(delay = "1ms"), attempt = attempt)]
fn blocking() -> io::Result<u32> {
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(async move { if attempt < 3 { Err(refused()) } else { Ok(attempt) } })
}

#[test]
fn a_blocking_function_may_run_what_it_likes() {
    assert_eq!(blocking().unwrap(), 3);
}
