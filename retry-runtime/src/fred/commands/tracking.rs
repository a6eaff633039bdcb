//! Client-side caching on every connection of a client.

use std::sync::Arc;

use ::fred::{
    error::{Error, ErrorKind},
    interfaces::{ClientInterface, FredResult, TrackingInterface},
    types::{MultipleStrings, RespVersion, Value, client::Toggle},
};

use super::by_hand;
use crate::fred::{Command, CommandInfo, Commands, Direct, Replay, Sender, Target, client::Once};

pub(in crate::fred) const TABLE: &[CommandInfo] = &[
    by_hand("TrackingInterface", "start_tracking", "CLIENT TRACKING", "NotIdempotent"),
    by_hand("TrackingInterface", "stop_tracking", "CLIENT TRACKING", "NotIdempotent"),
];

/// Tracking belongs to a connection, so it is not started again on another after an unknown outcome.
///
/// On all nodes of a cluster fred writes the command once, with a timeout of its own.
#[allow(clippy::fn_params_excessive_bools, reason = "the methods have the arguments of fred's")]
impl<C: Target + ClientInterface + TrackingInterface> Commands<Direct<'_, C>> {
    /// Sends `CLIENT TRACKING ON`, as fred's [`start_tracking`](TrackingInterface::start_tracking), and again on every
    /// connection that is made later.
    ///
    /// When a connection is lost, and when tracking has begun on a new one, the listeners of fred's `invalidation_rx`
    /// get an invalidation without keys: drop everything that is cached.
    /// fred 10.1 passes on no invalidation after `FLUSHALL` and `FLUSHDB`.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or that the connection does not speak RESP3.
    pub async fn start_tracking<P>(
        &self,
        prefixes: P,
        bcast: bool,
        optin: bool,
        optout: bool,
        noloop: bool,
    ) -> FredResult<()>
    where
        P: Into<MultipleStrings> + Send,
    {
        let prefixes = prefixes.into();
        let everywhere = self.fred().is_clustered() && !bcast;
        let attempt = move |client: Once<C>| {
            let prefixes = prefixes.clone();
            async move {
                if everywhere {
                    let started =
                        C::start_tracking(&client, prefixes, bcast, optin, optout, noloop);
                    return started.await.map(|()| Value::Null);
                }
                let on = Toggle::On;
                client.client_tracking(on, None, prefixes, bcast, optin, optout, noloop).await
            }
        };
        let attempt = Arc::new(attempt);
        let again = Arc::clone(&attempt);
        self.track("start_tracking", move |client| attempt(client)).await?;
        let (client, options) = (self.fred().clone(), self.sender.settings.options.clone());
        let once = client.clone();
        self.sender.connection.tracker.keep(client, move || {
            let started = again(once.with_options(&options));
            async { started.await.map(drop) }
        });
        Ok(())
    }

    /// Sends `CLIENT TRACKING OFF`, as fred's [`stop_tracking`](TrackingInterface::stop_tracking).
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt, or that the connection does not speak RESP3.
    pub async fn stop_tracking(&self) -> FredResult<()> {
        let everywhere = self.fred().is_clustered();
        let attempt = move |client: Once<C>| async move {
            if everywhere {
                return C::stop_tracking(&client).await.map(|()| Value::Null);
            }
            let (off, none) = (Toggle::Off, MultipleStrings::new());
            client.client_tracking(off, None, none, false, false, false, false).await
        };
        self.sender.connection.tracker.stop();
        self.track("stop_tracking", attempt).await
    }

    async fn track<F, Fut>(&self, name: &'static str, attempt: F) -> FredResult<()>
    where
        F: Fn(Once<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = FredResult<Value>> + Send + 'static,
    {
        if self.fred().protocol_version() != RespVersion::RESP3 {
            return Err(Error::new(ErrorKind::Config, "Client tracking requires RESP3."));
        }
        let replay = Replay::NotIdempotent;
        let command = Command::new(name, replay);
        self.sender.send(command, None, attempt).await.map(drop)
    }
}
