//! Errors that hold several errors.

use std::cell::Cell;

use retry_runtime::{Classify, Disposition};

use super::script::{EVERY_SECOND, Failed, is_lost};

/// Several failures of one attempt, as an exception group of Python.
#[derive(Debug, PartialEq)]
enum Group {
    Leaf(Failed),
    Several(Vec<Self>),
}

impl Group {
    fn any(&self, test: &impl Fn(&Failed) -> bool) -> bool {
        match self {
            Self::Leaf(leaf) => test(leaf),
            Self::Several(members) => members.iter().any(|member| member.any(test)),
        }
    }
}

/// The group is as bad as its worst leaf.
impl Classify for Group {
    fn disposition(&self) -> Disposition {
        let has = |disposition| self.any(&|leaf: &Failed| leaf.disposition() == disposition);
        if has(Disposition::Permanent) {
            Disposition::Permanent
        } else if has(Disposition::Unknown) {
            Disposition::Unknown
        } else {
            Disposition::NotExecuted
        }
    }
}

fn nested(leaf: Failed) -> Group {
    Group::Several(vec![Group::Leaf(Failed::Rejected(1)), Group::Several(vec![Group::Leaf(leaf)])])
}

#[tokio::test(start_paused = true)]
async fn a_rule_can_look_into_groups_of_errors() {
    let calls = Cell::new(0);
    let lost = EVERY_SECOND.on(|group: &Group| group.any(&is_lost));
    let fail = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(nested(Failed::Lost))
    };
    assert_eq!(lost.retry(fail).await, Err(nested(Failed::Lost)));
    assert_eq!(calls.get(), 3);
}

/// coredis retries a group that holds a leaf which must not be retried (its finding C9).
#[tokio::test(start_paused = true)]
async fn a_group_with_a_permanent_leaf_is_not_retried() {
    let calls = Cell::new(0);
    let fail = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(nested(Failed::Broken))
    };
    assert_eq!(EVERY_SECOND.retry(fail).idempotent().await, Err(nested(Failed::Broken)));
    assert_eq!(calls.get(), 1);
}
