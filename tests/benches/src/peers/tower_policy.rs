//! tower ships no policy; these are the smallest that do the job.

use std::{future::Ready, hint::black_box, sync::Arc, time::Duration};

use tokio::runtime::Runtime;
use tower::{
    Service, ServiceExt,
    retry::{
        Policy, Retry,
        budget::{Budget, TpsBudget},
    },
    service_fn,
};

use crate::{
    form,
    operation::{Failed, Script, operation},
};

/// Retries transient errors a number of times, at once.
#[derive(Debug, Clone)]
pub struct Counting {
    left: u32,
}

impl Counting {
    /// Allows a number of retries.
    pub fn new(left: u32) -> Self {
        Self { left }
    }
}

impl<'s> Policy<&'s Script, u64, Failed> for Counting {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut &'s Script,
        result: &mut Result<u64, Failed>,
    ) -> Option<Self::Future> {
        let transient = result.as_ref().is_err_and(Failed::is_transient);
        if !transient || self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(std::future::ready(()))
    }

    fn clone_request(&mut self, script: &&'s Script) -> Option<&'s Script> {
        Some(script)
    }
}

/// The same within a budget that all calls share.
#[derive(Debug, Clone)]
pub struct Budgeted {
    counting: Counting,
    budget: Arc<TpsBudget>,
}

impl Budgeted {
    /// Allows a number of retries to a call, and to all calls one retry for five of them.
    pub fn new(left: u32) -> Self {
        let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 0.2));
        Self { counting: Counting::new(left), budget }
    }
}

impl<'s> Policy<&'s Script, u64, Failed> for Budgeted {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        script: &mut &'s Script,
        result: &mut Result<u64, Failed>,
    ) -> Option<Self::Future> {
        if result.is_ok() {
            self.budget.deposit();
            return None;
        }
        if self.budget.withdraw() { self.counting.retry(script, result) } else { None }
    }

    fn clone_request(&mut self, script: &&'s Script) -> Option<&'s Script> {
        Some(script)
    }
}

/// Makes calls through a service that is made once.
pub fn repeat<P>(runtime: &Runtime, calls: u64, failures: u32, policy: P)
where
    P: for<'s> Policy<&'s Script, u64, Failed> + Clone,
{
    let mut service = Retry::new(policy, service_fn(operation));
    form::repeat(runtime, calls, failures, async |script: &Script| {
        let ready = ServiceExt::<&Script>::ready(&mut service).await;
        let ready = ready.expect("the service is always ready");
        let _ = black_box(ready.call(script).await);
    });
}
