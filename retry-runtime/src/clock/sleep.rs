//! The wait between two attempts.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use crate::policy::Watch;

/// What can end a wait before its time.
pub trait Watching {
    /// Returns whether to end the wait now; otherwise arranges for the task to be woken.
    fn is_over(self: Pin<&mut Self>, context: &mut Context<'_>) -> bool;
}

impl Watching for () {
    #[inline]
    fn is_over(self: Pin<&mut Self>, _: &mut Context<'_>) -> bool {
        false
    }
}

pin_project! {
    /// Waits for the first of some tokens to be cancelled.
    #[derive(Debug)]
    pub struct Watches {
        #[pin]
        first: Option<Watch>,
        // Few calls have two.
        more: Option<Pin<Box<Watches>>>,
    }
}

impl Watches {
    pub(crate) fn new(first: Option<Watch>, more: Option<Self>) -> Self {
        Self { first, more: more.map(Box::pin) }
    }
}

impl Watching for Watches {
    fn is_over(self: Pin<&mut Self>, context: &mut Context<'_>) -> bool {
        let this = self.project();
        // Both, so that both wake the task.
        let first = this.first.as_pin_mut().is_some_and(|watch| watch.is_cancelled(context));
        let more = this.more.as_mut().is_some_and(|more| more.as_mut().is_over(context));
        first || more
    }
}

pin_project! {
    /// Waits before a retry; a delay of zero gives other tasks their turn without touching the timer.
    #[derive(Debug)]
    pub struct Rest<W> {
        #[pin]
        pause: Timer,
        #[pin]
        watch: W,
    }
}

pin_project! {
    #[project = TimerProjection]
    #[derive(Debug)]
    enum Timer {
        Yield { yielded: bool },
        Wait { #[pin] sleep: Sleep },
    }
}

impl<W> Rest<W> {
    pub(crate) fn new(delay: Duration, watch: W) -> Self {
        let pause = if delay.is_zero() {
            Timer::Yield { yielded: false }
        } else {
            Timer::Wait { sleep: sleep(delay) }
        };
        Self { pause, watch }
    }
}

impl<W: Watching> Future for Rest<W> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.watch.is_over(context) {
            return Poll::Ready(());
        }
        match this.pause.project() {
            TimerProjection::Wait { sleep } => {
                ready!(poll_punctually(sleep, context));
            }
            TimerProjection::Yield { yielded } if !*yielded => {
                *yielded = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            TimerProjection::Yield { .. } => {}
        }
        Poll::Ready(())
    }
}

/// Polls a timer outside tokio's cooperative budget.
///
/// With an empty budget every timer is pending, and a future that is always ready, such as a reader of a flooded socket,
/// empties the budget at every poll: neither a limit around it nor a wait beside it would ever end
/// (tokio-rs/tokio#4291).
pub(crate) fn poll_punctually(sleep: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
    pin!(unconstrained(sleep)).poll(context)
}
