use crate::{Budget, Cost, explore, together};

fn budget(capacity: u32) -> Budget {
    Budget::builder().capacity(capacity).build().expect("valid settings")
}

#[test]
fn never_gives_more_than_it_has() {
    explore(3, "three retries for the tokens of two", || {
        let budget = budget(30);
        let shared = budget.clone();
        let granted = together::<3, _>(move |_| {
            let permit = shared.withdraw(Cost::Transient);
            assert!(shared.level() <= 16);
            permit.map(crate::budget::Permit::start).is_ok()
        });
        assert_eq!(granted.iter().filter(|granted| **granted).count(), 2);
        assert_eq!(budget.level(), 2);
        let statistics = budget.statistics();
        assert_eq!((statistics.withdrawn, statistics.refused), (2, 1));
    });
}

#[test]
fn adds_up_exactly() {
    explore(3, "a retry that fails, one that succeeds, and a first success", || {
        let budget = budget(40);
        drop(budget.withdraw(Cost::Throttling).expect("tokens").start());
        let shared = budget.clone();
        together::<3, _>(move |thread| match thread {
            0 => drop(shared.withdraw(Cost::Transient).expect("tokens").start()),
            1 => shared.refund(shared.withdraw(Cost::Throttling).expect("tokens").start()),
            _ => shared.succeeded(),
        });
        assert_eq!(budget.level(), 40 - 5 - 14 + 1);
    });
}

#[test]
fn a_permit_that_is_dropped_gives_its_tokens_back() {
    explore(2, "two waits that are cancelled", || {
        let budget = budget(28);
        let shared = budget.clone();
        together::<2, _>(move |_| drop(shared.withdraw(Cost::Transient).expect("tokens")));
        assert_eq!(budget.level(), 28);
        assert_eq!(budget.statistics().refunded, 2);
    });
}

#[test]
fn never_holds_more_than_its_capacity() {
    explore(2, "two refunds and two successes into room for less", || {
        let budget = Budget::builder().capacity(30).success_refund(3).build().expect("valid");
        let charges = [(); 2].map(|()| budget.withdraw(Cost::Throttling).expect("tokens").start());
        drop(charges);
        let [one, other] = [Cost::Transient, Cost::Throttling]
            .map(|cost| Some(budget.withdraw(cost).expect("tokens").start()));
        let charges = [loom::sync::Mutex::new(one), loom::sync::Mutex::new(other)];
        let shared = budget.clone();
        together::<2, _>(move |thread| {
            shared.refund(charges[thread].lock().expect("not poisoned").take().expect("once"));
            assert!(shared.level() <= 30);
            shared.succeeded();
            assert!(shared.level() <= 30);
        });
        assert_eq!(budget.level(), 26);
    });
}

#[test]
fn is_full_after_more_successes_than_it_needs() {
    explore(3, "three successes into room for one", || {
        let budget = Budget::builder().capacity(14).success_refund(13).build().expect("valid");
        drop(budget.withdraw(Cost::Transient).expect("tokens").start());
        let shared = budget.clone();
        together::<3, _>(move |_| {
            shared.succeeded();
            assert!((13..=14).contains(&shared.level()));
        });
        assert_eq!(budget.level(), 14);
    });
}
