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
    /// Not zero when the end was told, and only a hook follows; no `bool`, whose spare values would take the place of
    /// those by which the first attempt sees at once that there is no past.
    pub(crate) ended: u8,
}

/// The texts of errors.
///
/// Shared with nobody, but an `Arc` is given back out of line: a call that never failed looks at it, too.
#[derive(Debug, Default)]
pub(crate) struct Texts(Option<Arc<Text>>);

#[derive(Debug)]
struct Text {
    /// Of the last error, for events.
    message: Option<String>,
    /// Of the last one that was the operation's own, if a limit can take its place.
    previous: Option<PreviousError>,
}

impl Texts {
    fn message(&self) -> Option<&str> {
        self.0.as_ref()?.message.as_deref()
    }

    pub(crate) fn previous(&self) -> Option<PreviousError> {
        self.0.as_ref()?.previous.clone()
    }

    /// Takes the texts of another failure; one that a limit aborted leaves the error before it.
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
    /// Returns what telemetry knows the attempt by.
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
