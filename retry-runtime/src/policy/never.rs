use super::{Decide, Decision, Policy, Untimed};
use crate::{
    backoff::random::Random,
    failure::{Failure, GiveUpReason},
};

/// Never retries.
///
/// For places that need a policy where you want no retries, such as in a test or behind a switch.
/// It does not classify errors, so a circuit breaker counts each of them; with `retries(0)` or
/// `on(ByDisposition::default())` permanent errors do not count.
///
/// ```
/// use retry_runtime::Never;
///
/// const OFF: Never = Never;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Never;

impl Policy for Never {
    type State = ();
    type Timing = Untimed;

    fn budgets(&self) -> u32 {
        0
    }

    fn attempts(&self) -> Option<u32> {
        Some(1)
    }
}

impl<E, R> Decide<E, R> for Never {
    fn decide(&self, _: &Failure<'_, E>, _: &R, (): &mut (), _: &mut Random) -> Decision {
        Decision::give_up(GiveUpReason::NotRetryable)
    }
}
