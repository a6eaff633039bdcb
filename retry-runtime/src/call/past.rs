use std::{sync::Arc, time::Duration};

use crate::{
    failure::PreviousError,
    policy::Session,
    telemetry::{Ending, Told, name::Name},
    testing,
};

/// What a call that failed once remembers.
#[derive(Debug)]
pub(crate) struct Past<S, N> {
    pub(crate) session: Session<S>,
    pub(crate) name: N,
    pub(crate) record: testing::Record,
    pub(crate) ending: Ending,
    pub(crate) texts: Texts,
    /// Not zero once the end has been reported, and only a hook follows; not a `bool`: the compiler would use its
    /// niche for `Option<Past>`, in place of the one that the first attempt checks at once.
    pub(crate) ended: u8,
}

/// The texts of errors.
///
/// Not shared, but the drop code of an `Arc` is out of line: a call that never failed also runs past it.
#[derive(Debug, Default)]
pub(crate) struct Texts(Option<Arc<Text>>);

#[derive(Debug)]
struct Text {
    /// Of the last error, for events.
    message: Option<String>,
    /// Of the operation's own last error, if a limit can abort a later attempt.
    previous: Option<PreviousError>,
}

impl Texts {
    fn message(&self) -> Option<&str> {
        self.0.as_ref()?.message.as_deref()
    }

    pub(crate) fn previous(&self) -> Option<PreviousError> {
        self.0.as_ref()?.previous.clone()
    }

    /// Stores the texts of another failure; an aborted attempt keeps the error before it.
    #[inline]
    pub(crate) fn explain(&mut self, message: Option<String>, previous: Option<PreviousError>) {
        if message.is_some() || previous.is_some() || self.0.is_some() {
            self.replace(message, previous);
        }
    }

    #[cold]
    fn replace(&mut self, message: Option<String>, previous: Option<PreviousError>) {
        let previous = previous.or_else(|| self.previous());
        self.0 = Some(Arc::new(Text { message, previous }));
    }
}

impl<S, N: Name> Past<S, N> {
    /// Returns the attempt as telemetry describes it.
    pub(crate) fn told(&self, elapsed: Option<Duration>) -> Told<'_> {
        Told {
            operation: self.name.text(),
            attempt: self.session.attempt(),
            elapsed,
            ending: self.ending,
            message: self.texts.message(),
            record: self.record,
        }
    }
}
