//! Whether a command may be sent again after a failure.

use ::fred::{error::Error, interfaces::FredResult};

use super::{
    ErrorClass,
    attempts::Call,
    client::Direct,
    commands::{BlockingTime, Command, Errors},
    doubt::unless_kept,
    target::Target,
};
use crate::{
    call::{Over, Verdict},
    failure::{
        Failure, GiveUpReason,
        classify::{Classify, Disposition},
        info::FailureInfo,
    },
    overload::Cost,
    policy::{ByDisposition, CallRule, Idempotence, NoRetry},
    telemetry::Ending,
};

/// An attempt that failed, and whether another may do harm.
pub(super) enum Failed {
    /// That depends on the error and the command.
    Sent(Error),
    /// It cannot: what was sent was refused, or may be repeated.
    Open(Error),
    /// It cannot: there was no connection to send anything on.
    Kept(Error),
    /// It can, whatever the error says: a part was executed.
    Closed(Error),
    /// There is nothing to be repeated: the server answered that nothing came while the command blocked.
    Empty(Error),
}

impl Failed {
    pub(super) fn error(&self) -> &Error {
        let (Self::Sent(error)
        | Self::Open(error)
        | Self::Kept(error)
        | Self::Closed(error)
        | Self::Empty(error)) = self;
        error
    }

    /// Changes what the error says.
    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match self {
            Self::Sent(error) => Self::Sent(change(error)),
            Self::Open(error) => Self::Open(change(error)),
            Self::Kept(error) => Self::Kept(change(error)),
            Self::Closed(error) => Self::Closed(change(error)),
            Self::Empty(error) => Self::Empty(change(error)),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Sent(error)
    }
}

impl<C: Target> Direct<'_, C> {
    /// Asks first whether the command may be sent again, then the policy.
    pub(super) fn judge<T>(
        &self,
        call: &mut Call,
        command: Command,
        failed: Failed,
        ready: Result<(), GiveUpReason>,
    ) -> Verdict<FredResult<T>> {
        let mut forbid = |error: Error, info: FailureInfo| {
            let stop = NoRetry { reason: info.refusal(), info };
            call.explain_as(command.name, &error);
            call.forbid(command.name, stop, Ending::FAILED);
            Verdict::GiveUp(Over { kept: Err(error), stop, aborted: None })
        };
        let failed = match failed {
            // One node refused its part, and others executed theirs.
            Failed::Sent(error)
                if self.settings.is_clustered && command.name.ends_with("_cluster") =>
            {
                Failed::Sent(unless_kept(error))
            }
            failed => failed,
        };
        let (error, kept) = match failed {
            Failed::Sent(error) if self.may_repeat(&error, command) => (error, false),
            Failed::Open(error) => (error, false),
            Failed::Kept(error) => (error, true),
            Failed::Sent(error) | Failed::Closed(error) | Failed::Empty(error) => {
                let info = described(&error);
                return forbid(error, info);
            }
        };
        if ErrorClass::TIMEOUT.matches(&error) {
            call.was_cut();
        }
        call.explain_as(command.name, &error);
        let failed = crate::call::Failed::with(Err(error));
        call.judge_if(ready, command.name, &self.settings.policy, &Asked { kept }, failed)
    }

    /// Tells whether sending the command again cannot do what nobody asked for, whatever errors the policy names.
    pub(super) fn may_repeat(&self, error: &Error, command: Command) -> bool {
        // fred says the same when a blocking command found nothing, which is an answer.
        if command.wait != BlockingTime::No && ErrorClass::TIMEOUT.matches(error) {
            return false;
        }
        // A reply that does not convert, and an error of a script, come after something was done.
        let executed = || command.errors == Errors::Own || ErrorClass::PARSE.matches(error);
        match error.disposition() {
            Disposition::NotExecuted => true,
            Disposition::Permanent if !executed() => true,
            _ => self.consent.covers(command.replay),
        }
    }
}

/// The rule of a command whose repeat does no harm.
struct Asked {
    /// Whether nothing was sent.
    kept: bool,
}

impl CallRule<Error> for Asked {
    fn allows(&self, failure: &Failure<'_, Error>) -> bool {
        // A login that was refused is refused again, unless somebody changes the password meanwhile; such a policy
        // names the class.
        failure.error().is_none_or(|error| !ErrorClass::AUTH.matches(error))
            && ByDisposition::new(Idempotence::Idempotent).allows(failure)
    }

    fn info(&self, failure: &Failure<'_, Error>) -> FailureInfo {
        let info = failure.error().map_or(FailureInfo::NONE, described);
        if self.kept { info.cost(Cost::Free) } else { info }
    }
}

pub(super) fn described(error: &Error) -> FailureInfo {
    FailureInfo::NONE.disposition(error.disposition()).class(error.class()).cost(error.cost())
}
