//! One table of scenarios, and every form of a call gives the same row.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    time::Duration,
};

use retry_runtime::{Aborted, DynPolicy, GiveUpReason, retryable, testing};
use retry_tests::{
    Events,
    scenarios::{End, Kind, SCENARIOS, Scenario, Seen, Step},
};
use tokio::time::Instant;

use super::script::{Failed, SECOND};

type Answer = Result<u32, Failed>;

const NOT_YET: u32 = 0;

/// A call that runs a scenario, and what its hooks see.
struct Run {
    scenario: &'static Scenario,
    attempts: Cell<u32>,
    before: Cell<u32>,
    failures: Cell<u32>,
    reason: RefCell<Vec<GiveUpReason>>,
}

impl Run {
    fn new(scenario: &'static Scenario) -> Self {
        let [attempts, before, failures] = Default::default();
        Self { scenario, attempts, before, failures, reason: RefCell::default() }
    }

    async fn attempt(&self) -> Answer {
        let step = self.scenario.step(self.attempts.get() + 1);
        let answer = self.block();
        if step == Step::Hangs { pending().await } else { answer }
    }

    fn block(&self) -> Answer {
        self.attempts.set(self.attempts.get() + 1);
        match self.scenario.step(self.attempts.get()) {
            Step::Answers => Ok(7),
            Step::NotYet => Ok(NOT_YET),
            Step::Refused | Step::Hangs => Err(Failed::Rejected(0)),
            Step::Lost => Err(Failed::Lost),
            Step::Broken => Err(Failed::Broken),
        }
    }
}

fn count(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Attribute,
    AttributeWithHooks,
    Closure,
    ClosureWithHooks,
    BlockingAttribute,
    BlockingAttributeWithHooks,
    BlockingClosure,
    BlockingClosureThatNotifies,
}

const FORMS: [Form; 4] =
    [Form::Attribute, Form::AttributeWithHooks, Form::Closure, Form::ClosureWithHooks];

const BLOCKING: [Form; 4] = [
    Form::BlockingAttribute,
    Form::BlockingAttributeWithHooks,
    Form::BlockingClosure,
    Form::BlockingClosureThatNotifies,
];

impl Form {
    /// Tells whether it has the hooks `before` and `on_give_up`.
    fn has_hooks(self) -> bool {
        matches!(
            self,
            Self::AttributeWithHooks | Self::ClosureWithHooks | Self::BlockingAttributeWithHooks
        )
    }

    fn hears_of_failures(self) -> bool {
        self.has_hooks() || self == Self::BlockingClosureThatNotifies
    }
}

/// Writes every form with the same words: those of the attribute, and the methods that say the same.
macro_rules! forms {
    ($kind:ident: [$($word:tt)*], [$($method:tt)*]) => {
        mod $kind {
            use super::*;

            #[retryable(policy = policy $($word)*)]
            async fn attribute(policy: DynPolicy<Failed>, run: &Run) -> Answer {
                run.attempt().await
            }

            #[retryable(policy = policy, before = |_| count(&run.before), on_failure = |_| count(&run.failures),
                        on_give_up = |over| run.reason.borrow_mut().push(over.reason()) $($word)*)]
            async fn hooked(policy: DynPolicy<Failed>, run: &Run) -> Answer {
                run.attempt().await
            }

            #[retryable(blocking, policy = policy $($word)*)]
            fn blocking(policy: DynPolicy<Failed>, run: &Run) -> Answer {
                run.block()
            }

            #[retryable(blocking, policy = policy, before = |_| count(&run.before),
                        on_failure = |_| count(&run.failures),
                        on_give_up = |over| run.reason.borrow_mut().push(over.reason()) $($word)*)]
            fn blocking_hooked(policy: DynPolicy<Failed>, run: &Run) -> Answer {
                run.block()
            }

            pub(super) async fn call(form: Form, policy: DynPolicy<Failed>, run: &Run) -> Answer {
                match form {
                    Form::Attribute => attribute(policy, run).await,
                    Form::AttributeWithHooks => hooked(policy, run).await,
                    Form::Closure => policy.retry(|| run.attempt()) $($method)* .await,
                    Form::ClosureWithHooks => {
                        policy
                            .retry(|| run.attempt())
                            .before(async |_| count(&run.before))
                            .on_failure(async |_| count(&run.failures))
                            .on_give_up(async |over| run.reason.borrow_mut().push(over.reason()))
                            $($method)*
                            .await
                    }
                    Form::BlockingAttribute => blocking(policy, run),
                    Form::BlockingAttributeWithHooks => blocking_hooked(policy, run),
                    Form::BlockingClosure => policy.retry_blocking(|| run.block()) $($method)* .call(),
                    Form::BlockingClosureThatNotifies => {
                        policy
                            .retry_blocking(|| run.block())
                            .notify(|_| count(&run.failures))
                            $($method)*
                            .call()
                    }
                }
            }
        }
    };
}

forms!(plain: [], []);
forms!(idempotent: [, idempotent], [.idempotent()]);
forms!(polls: [, on_ok = |value| *value == NOT_YET], [.on_ok(|value| *value == NOT_YET)]);

async fn call(form: Form, policy: DynPolicy<Failed>, run: &Run) -> Answer {
    match run.scenario.kind {
        Kind::Plain => plain::call(form, policy, run).await,
        Kind::Idempotent => idempotent::call(form, policy, run).await,
        Kind::Polls => polls::call(form, policy, run).await,
    }
}

fn end(answer: Answer) -> End {
    match answer {
        Ok(NOT_YET) => End::NotYet,
        Ok(_) => End::Answer,
        Err(Failed::Rejected(_)) => End::Refused,
        Err(Failed::Lost) => End::Lost,
        Err(Failed::Broken) => End::Broken,
        Err(Failed::Late(Aborted::Deadline(_))) => End::Deadline,
        Err(Failed::Late(Aborted::AttemptTimeout(_))) => End::AttemptTimeout,
        Err(Failed::Late(Aborted::Cancelled)) => End::Cancelled,
        Err(Failed::Late(_)) => End::BreakerOpen,
    }
}

/// Runs a scenario in one form, and returns what came out of it; the recording, the hooks and the last event agree.
async fn seen(form: Form, scenario: &'static Scenario, delay: Duration) -> Seen {
    let run = Run::new(scenario);
    let events = Events::listen();
    let begin = Instant::now();
    let recording = testing::record(call(form, scenario.policy(delay), &run)).await;
    let halves = begin.elapsed().as_micros() / (delay / 2).as_micros();
    let context = format!("{scenario:?}, {form:?}");

    let delays = recording.delays();
    assert!(delays.iter().all(|waited| *waited == delay), "{context}: {delays:?}");
    let reason = recording.reason();
    if form.has_hooks() {
        assert_eq!(*run.reason.borrow(), Vec::from_iter(reason), "{context}");
        assert_eq!(run.before.get(), run.attempts.get(), "{context}");
    }
    if form.hears_of_failures() {
        assert_eq!(run.failures.get() as usize, delays.len(), "{context}");
    }
    let events = events.take();
    let word = events.last().and_then(|(_, text)| text.rsplit_once("reason="));
    let expected = match reason {
        Some(reason) => Some(reason.as_str()),
        None => (run.attempts.get() > 1).then_some("success_after_retry"),
    };
    assert_eq!(word.map(|(_, word)| word), expected, "{context}: {events:?}");

    Seen {
        end: end(recording.output),
        attempts: run.attempts.get(),
        waits: u32::try_from(delays.len()).expect("few"),
        halves: u32::try_from(halves).expect("not long"),
        reason,
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_gives_the_same_row() {
    let mut wrong = Vec::new();
    for scenario in SCENARIOS {
        for form in FORMS {
            let seen = seen(form, scenario, SECOND).await;
            if seen != scenario.expected {
                wrong.push(format!("{scenario:?}, {form:?}: {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// They sleep for real, and a machine under load sleeps longer.
#[tokio::test]
async fn blocking_forms_give_the_same_row() {
    let mut wrong = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.blocks()) {
        for form in BLOCKING {
            let seen = seen(form, scenario, SECOND / 50).await;
            let halves = scenario.expected.halves;
            if seen.halves < halves || (Seen { halves, ..seen }) != scenario.expected {
                wrong.push(format!("{scenario:?}, {form:?}: {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
