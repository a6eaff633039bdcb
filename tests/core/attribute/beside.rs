//! Settings that stand beside the policy, and time limits in every form.

use std::{cell::Cell, time::Duration};

use retry_runtime::{
    Exponential, RetryPolicy,
    policy::{ByDisposition, Timed},
    retryable,
};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const PUSH: RetryPolicy<retry_runtime::Constant> = RetryPolicy::constant(SECOND).retries(9);
const LIMITED: RetryPolicy<Exponential, ByDisposition, Timed> =
    RetryPolicy::exponential().unlimited().deadline(Duration::from_secs(5));

/// The error of some other crate: it can represent no abort.
#[derive(Debug, PartialEq)]
struct Busy;

#[derive(Debug, PartialEq)]
enum Error {
    Busy,
    Aborted(retry_runtime::Aborted),
}

impl From<retry_runtime::Aborted> for Error {
    fn from(aborted: retry_runtime::Aborted) -> Self {
        Self::Aborted(aborted)
    }
}

/// Counts its attempts, each of which takes a while.
struct Service {
    policy: RetryPolicy<retry_runtime::Constant>,
    attempts: Cell<u32>,
    takes: Duration,
    begin: Instant,
}

impl Service {
    fn new(takes: Duration) -> Self {
        Self { policy: PUSH, attempts: Cell::new(0), takes, begin: Instant::now() }
    }

    async fn busy<T>(&self, error: T) -> Result<(), T> {
        self.attempts.set(self.attempts.get() + 1);
        sleep(self.takes).await;
        Err(error)
    }

    fn seen(&self) -> (u32, u64) {
        (self.attempts.get(), self.begin.elapsed().as_secs())
    }

    #[retryable(policy = self.policy, on = |_| true, retry_for = "3s")]
    async fn of_a_field(&self) -> Result<(), Busy> {
        self.busy(Busy).await
    }
}

#[retryable(retries = 4, on = |_| true)]
async fn retries_alone(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = constant(delay = "1s"), retries = unlimited, deadline = "2500ms", on = |_| true)]
async fn beside_constant(service: &Service) -> Result<(), Error> {
    service.busy(Error::Busy).await
}

#[retryable(policy = exponential(base_delay = "1s", jitter = none), retry_for = "4s", retries = 9, on = |_| true)]
async fn beside_exponential(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = composite(constant(delay = "1s", retries = 9), constant(delay = "0s", retries = 9)),
            retry_for = "4s", on = |_| true)]
async fn beside_composite(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = PUSH, deadline = "3500ms", attempt_timeout = limit, on = |_| true)]
async fn beside_a_name(service: &Service, limit: Duration) -> Result<(), Error> {
    service.busy(Error::Busy).await
}

#[retryable(policy = LIMITED, deadline = "1h", on = |_| true)]
async fn longer_than_the_policy(service: &Service) -> Result<(), Error> {
    service.busy(Error::Busy).await
}

#[retryable(policy = PUSH, retry_for = "3s", on = |_| true, budget = budget)]
async fn beside_a_name_and_a_guard(
    service: &Service,
    budget: &retry_runtime::Budget,
) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = never(), attempt_timeout = "2s")]
async fn beside_never(service: &Service) -> Result<(), Error> {
    service.busy(Error::Busy).await
}

#[retryable(policy = constant(delay = "1s", retries = 9, retry_for = "3s"), on = |_| true)]
async fn inside_constant(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = exponential(base_delay = "1s", jitter = none, retries = 9, retry_for = "4s"), on = |_| true)]
async fn inside_exponential(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[retryable(policy = composite(constant(delay = "1s", retries = 9), retry_for = "3s"), on = |_| true)]
async fn inside_composite(service: &Service) -> Result<(), Busy> {
    service.busy(Busy).await
}

#[tokio::test(start_paused = true)]
async fn retries_beside_no_policy_are_those_of_the_default() {
    let service = Service::new(Duration::ZERO);
    assert_eq!(retries_alone(&service).await, Err(Busy));
    assert_eq!(service.attempts.get(), 5);
}

#[tokio::test(start_paused = true)]
async fn settings_beside_a_policy_belong_to_it() {
    let service = Service::new(Duration::ZERO);
    assert_eq!(beside_constant(&service).await, Err(Error::Busy));
    assert_eq!(service.seen(), (3, 2));
    let service = Service::new(Duration::ZERO);
    assert_eq!(beside_exponential(&service).await, Err(Busy));
    assert_eq!(service.seen(), (3, 3), "at 0 s, 1 s, 3 s");
    let service = Service::new(Duration::ZERO);
    assert_eq!(beside_composite(&service).await, Err(Busy));
    assert_eq!(service.seen(), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn limits_beside_a_name_limit_its_policy() {
    let service = Service::new(Duration::ZERO);
    assert_eq!(beside_a_name(&service, SECOND).await, Err(Error::Busy));
    assert_eq!(service.seen(), (4, 3));
    let slow = Service::new(60 * SECOND);
    assert!(matches!(beside_a_name(&slow, SECOND).await, Err(Error::Aborted(_))));
    assert_eq!(slow.seen(), (2, 3), "an attempt of 1 s, a wait of 1 s, and an attempt of 1 s");
    let service = Service::new(Duration::ZERO);
    assert_eq!(service.of_a_field().await, Err(Busy));
    assert_eq!(service.seen(), (3, 2));
    let budget = retry_runtime::Budget::new();
    let service = Service::new(Duration::ZERO);
    assert_eq!(beside_a_name_and_a_guard(&service, &budget).await, Err(Busy));
    assert_eq!(service.seen(), (3, 2));
    assert!(budget.statistics().withdrawn > 0, "two retries");
}

#[tokio::test(start_paused = true)]
async fn of_two_limits_the_shorter_holds() {
    let service = Service::new(60 * SECOND);
    assert!(matches!(longer_than_the_policy(&service).await, Err(Error::Aborted(_))));
    assert_eq!(service.seen(), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_never_retried_may_be_limited() {
    let service = Service::new(60 * SECOND);
    assert!(matches!(beside_never(&service).await, Err(Error::Aborted(_))));
    assert_eq!(service.seen(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn retry_for_ends_the_retrying_and_no_attempt() {
    for takes in [Duration::ZERO, 60 * SECOND] {
        let is_slow = takes > SECOND;
        let service = Service::new(takes);
        assert_eq!(inside_constant(&service).await, Err(Busy));
        assert_eq!(service.seen(), if is_slow { (1, 60) } else { (3, 2) });
        let service = Service::new(takes);
        assert_eq!(inside_exponential(&service).await, Err(Busy));
        assert_eq!(service.seen(), if is_slow { (1, 60) } else { (3, 3) });
        let service = Service::new(takes);
        assert_eq!(inside_composite(&service).await, Err(Busy));
        assert_eq!(service.seen(), if is_slow { (1, 60) } else { (3, 2) });
    }
}
