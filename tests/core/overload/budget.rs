use std::thread;

use retry_runtime::{
    Budget,
    budget::{BudgetEmpty, Cost},
    policy::ConfigError,
};

fn small() -> Budget {
    Budget::builder().capacity(30).build().expect("valid settings")
}

#[test]
fn starts_full_with_the_numbers_of_the_aws_sdks() {
    let budget = Budget::default();
    assert_eq!((budget.level(), budget.capacity()), (500, 500));
    let _ = budget.withdraw(Cost::Transient).map(retry_runtime::budget::Permit::start);
    assert_eq!(budget.level(), 486);
    let _ = budget.withdraw(Cost::Throttling).map(retry_runtime::budget::Permit::start);
    assert_eq!(budget.level(), 481);
    budget.succeeded();
    assert_eq!(budget.level(), 482);
}

#[test]
fn allows_35_retries_where_every_call_fails() {
    let budget = Budget::new();
    let charges = (0..100).map_while(|_| Some(budget.withdraw(Cost::Transient).ok()?.start()));
    assert_eq!(charges.count(), 35);
    assert_eq!(budget.level(), 500 - 35 * 14);
}

#[test]
fn refuses_without_taking_anything() {
    let budget = small();
    let kept =
        [Cost::Transient, Cost::Transient].map(|cost| budget.withdraw(cost).expect("tokens"));
    let refused = budget.withdraw(Cost::Throttling).expect_err("two tokens are left");
    assert_eq!(refused.to_string(), "the retry budget has 2 tokens left, a retry costs 5");
    assert!(matches!(refused, BudgetEmpty { needed: 5, level: 2, .. }));
    assert_eq!(budget.level(), 2);
    drop(kept);
}

#[test]
fn a_wait_that_is_cancelled_costs_nothing() {
    let budget = small();
    drop(budget.withdraw(Cost::Transient));
    assert_eq!(budget.level(), 30);
    assert_eq!(budget.statistics().refunded, 1);
}

#[test]
fn a_retry_that_is_cancelled_has_paid() {
    let budget = small();
    drop(budget.withdraw(Cost::Transient).expect("tokens").start());
    assert_eq!(budget.level(), 16);
}

#[test]
fn a_success_on_a_retry_brings_back_what_it_cost() {
    let budget = small();
    let failed = budget.withdraw(Cost::Transient).expect("tokens").start();
    let succeeded = budget.withdraw(Cost::Throttling).expect("tokens").start();
    drop(failed);
    budget.refund(succeeded);
    assert_eq!(budget.level(), 16);
}

#[test]
fn a_retry_of_what_was_never_sent_is_free_even_when_empty() {
    let budget = Budget::builder().capacity(14).build().expect("valid settings");
    let _ = budget.withdraw(Cost::Transient).map(retry_runtime::budget::Permit::start);
    let free = budget.withdraw(Cost::Free).expect("always allowed").start();
    budget.refund(free);
    assert_eq!(budget.level(), 1, "its success counts as a first one");
    assert_eq!(budget.statistics().withdrawn, 1);
}

#[test]
fn never_holds_more_than_its_capacity() {
    let budget = Budget::builder().capacity(20).success_refund(15).build().expect("valid");
    let permit = budget.withdraw(Cost::Transient).expect("tokens");
    budget.succeeded();
    assert_eq!(budget.level(), 20);
    drop(permit);
    assert_eq!(budget.level(), 20);
}

#[test]
fn clones_are_the_same_bucket() {
    let budget = small();
    drop(budget.clone().withdraw(Cost::Transient).expect("tokens").start());
    assert_eq!(format!("{budget:?}"), "Budget(16/30)");
}

#[test]
fn counts_what_happened() {
    let budget = small();
    let permits = [(); 3].map(|()| budget.withdraw(Cost::Transient));
    let statistics = budget.statistics();
    assert_eq!((statistics.level, statistics.capacity), (2, 30));
    assert_eq!((statistics.withdrawn, statistics.refused, statistics.refunded), (2, 1, 0));
    drop(permits);
    assert_eq!(budget.statistics().refunded, 2);
}

#[test]
fn refuses_settings_that_would_bound_nothing_or_everything() {
    let build = |capacity, transient, throttling, refund| {
        Budget::builder()
            .capacity(capacity)
            .transient_cost(transient)
            .throttling_cost(throttling)
            .success_refund(refund)
            .build()
            .map(|_| ())
    };
    let refused = |setting, found, most| Err(ConfigError::OutOfRange { setting, found, most });
    assert_eq!(build(0, 1, 1, 1), refused("capacity", 0, u32::MAX));
    assert_eq!(build(10, 0, 1, 1), refused("transient_cost", 0, 10));
    assert_eq!(build(10, 1, 11, 1), refused("throttling_cost", 11, 10));
    assert_eq!(build(10, 1, 1, 0), refused("success_refund", 0, 10));
    assert_eq!(build(u32::MAX, u32::MAX, 1, u32::MAX), Ok(()));
}

#[test]
fn is_exact_on_many_threads() {
    let budget = Budget::builder().capacity(1_000_000).build().expect("valid settings");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..10_000 {
                    let permit = budget.withdraw(Cost::Transient).expect("tokens");
                    match turn % 3 {
                        0 => drop(permit),
                        1 => drop(permit.start()),
                        _ => budget.refund(permit.start()),
                    }
                }
            });
        }
    });
    assert_eq!(budget.level(), 1_000_000 - 4 * 3_333 * 14);
}

#[test]
fn is_shared_between_tasks() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    shared(&Budget::new());
}
