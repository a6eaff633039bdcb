use std::{collections::VecDeque, fmt, sync::Mutex};

/// Outcomes that a test prescribes for an operation, one for each call.
///
/// ```
/// use retry_runtime::testing::Outcomes;
///
/// let outcomes = Outcomes::new([Err("lost"), Ok(7)]);
/// assert_eq!(outcomes.next(), Err("lost"));
/// assert_eq!(outcomes.next(), Ok(7));
/// assert_eq!(outcomes.calls(), 2);
/// ```
pub struct Outcomes<R> {
    state: Mutex<(VecDeque<R>, u32)>,
}

impl<R> Outcomes<R> {
    /// Creates outcomes, to be returned in their order.
    pub fn new(outcomes: impl IntoIterator<Item = R>) -> Self {
        Self { state: Mutex::new((outcomes.into_iter().collect(), 0)) }
    }

    /// Returns the outcome of the next call.
    ///
    /// # Panics
    ///
    /// Panics if no outcome is left: the code under test made a call too many.
    pub fn next(&self) -> R {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.1 += 1;
        let calls = state.1;
        let next = state.0.pop_front();
        drop(state);
        next.unwrap_or_else(|| panic!("call {calls} has no outcome: the test expected fewer calls"))
    }

    /// Returns how often the operation was called.
    pub fn calls(&self) -> u32 {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }
}

impl<R> fmt::Debug for Outcomes<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outcomes").field("calls", &self.calls()).finish_non_exhaustive()
    }
}
