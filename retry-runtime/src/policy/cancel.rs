//! Cancellation tokens; without the feature `cancel` there are none.

#[cfg(feature = "cancel")]
mod enabled {
    use std::{fmt, future::Future, pin::Pin, sync::Arc, task::Context};

    use pin_project_lite::pin_project;
    use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

    /// A token that ends calls; shared, because cloning and dropping a token each take a lock.
    #[derive(Clone)]
    pub(crate) struct Token(Arc<CancellationToken>);

    impl Token {
        pub(crate) fn new(token: CancellationToken) -> Self {
            Self(Arc::new(token))
        }

        pub(crate) fn is_cancelled(&self) -> bool {
            self.0.is_cancelled()
        }

        pub(crate) fn watch(&self) -> Watch {
            Watch { cancelled: CancellationToken::clone(&self.0).cancelled_owned() }
        }
    }

    impl fmt::Debug for Token {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "Cancel({})", self.0.is_cancelled())
        }
    }

    pin_project! {
        /// Waits for a token to be cancelled.
        #[derive(Debug)]
        pub struct Watch {
            #[pin]
            cancelled: WaitForCancellationFutureOwned,
        }
    }

    impl Watch {
        pub(crate) fn is_cancelled(self: Pin<&mut Self>, context: &mut Context<'_>) -> bool {
            self.project().cancelled.poll(context).is_ready()
        }
    }
}

#[cfg(not(feature = "cancel"))]
mod disabled {
    use std::{pin::Pin, task::Context};

    /// No token: there is no value of this type.
    #[derive(Debug, Clone)]
    pub(crate) enum Token {}

    impl Token {
        pub(crate) fn is_cancelled(&self) -> bool {
            match *self {}
        }

        pub(crate) fn watch(&self) -> Watch {
            match *self {}
        }
    }

    /// Waits for no token.
    #[derive(Debug)]
    pub(crate) enum Watch {}

    impl Watch {
        pub(crate) fn is_cancelled(self: Pin<&mut Self>, _: &mut Context<'_>) -> bool {
            match *self {}
        }
    }
}

#[cfg(not(feature = "cancel"))]
pub(crate) use disabled::{Token, Watch};
#[cfg(feature = "cancel")]
pub(crate) use enabled::{Token, Watch};
