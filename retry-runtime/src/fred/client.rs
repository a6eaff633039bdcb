//! The client that retries every command.

use std::{fmt, sync::Arc, time::Duration};

use ::fred::{
    clients::{Client, WithOptions},
    error::{Error, ErrorKind},
    interfaces::{ClientLike, FredResult},
    types::{
        Builder, ConnectHandle,
        config::{Config, Options, ReconnectPolicy},
    },
};

use super::{
    attempts::SHORTEST,
    budgets::Budgets,
    commands::{Commands, NotSentinel},
    connection::Connection,
    hooks::{ClientHook, Hooks},
    pulse::Patience,
    replay::Consent,
    statistics::{Counters, Statistics},
    target::Target,
};
use crate::{
    config_error::ConfigError,
    failure::{Attempt, Failure, GiveUp},
    overload::{Budget, BudgetBuilder},
    policy::{Answer, Decide, DynPolicy, Limits, Policy},
    telemetry,
};

/// A fred client on which every command is retried under one policy.
///
/// Made by [`WithRetry::with_retry`]; it has the commands of fred by their own names, and shares the connection of
/// the client that it was made from.
///
/// - An error that says the command was **not executed** is retried for every command.
/// - After an error that leaves the outcome **unknown** (a lost connection, a timeout) only commands are sent again
///   that are safe to repeat, see [`Replay`](super::Replay).
///   The caller of any other gets the error, and its [`Disposition`](crate::failure::classify::Disposition) says that the command may
///   have been executed.
/// - Every other error is the caller's at once, unless the policy names it with `on`.
///   Naming errors never makes an unsafe command be sent twice; [`idempotent`](Commands::idempotent) does.
///
/// Every attempt is one write with a timeout of fred's own: the attempt timeout of the policy, or else the one of the
/// client's options, or else the client's default, or else [`DEFAULT_ATTEMPT_TIMEOUT`], because fred
/// without a timeout never returns after some failures.
/// A reply is converted after the last attempt: one that does not convert is never retried.
///
/// What is not a command is under [`fred`](Commands::fred).
///
/// ```no_run
/// use fred::prelude::*;
/// use retry_runtime::{RetryPolicy, fred::WithRetry};
///
/// # async fn example() -> FredResult<()> {
/// let client = Builder::default_centralized()
///     .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
///     .build()?
///     .with_retry(RetryPolicy::exponential().retries(5));
/// client.init().await?;
///
/// client.set::<(), _, _>("visits", 0, None, None, false).await?; // replayed even after a lost reply
/// let visits: i64 = client.incr("visits").await?; // never counts twice
/// let same: i64 = client.idempotent().incr("visits").await?; // may count twice, as asked for
/// # Ok(())
/// # }
/// ```
pub type RetryClient<C = Client> = Commands<Direct<'static, C>>;

/// How long an attempt of a client takes at most whose settings say nothing.
pub const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take while a client that [`connect`](Commands::connect) made is connecting.
const CONNECT_ANSWER: Duration = Duration::from_secs(2);

/// What fred waits for such an answer, unless told otherwise.
const FRED_DEFAULT: Duration = Duration::from_secs(10);

/// Sends commands one by one, each under the policy.
pub struct Direct<'h, C> {
    pub(super) client: C,
    /// What an attempt is made on: the client, or a pool of each member alone, so that all of an attempt reaches one.
    pub(super) members: Arc<[C]>,
    pub(super) connection: Arc<Connection>,
    pub(super) settings: Arc<Settings>,
    pub(super) budgets: Option<Arc<Budgets>>,
    pub(super) counters: Arc<Counters>,
    pub(super) consent: Consent,
    pub(super) hooks: Hooks<'h>,
    /// Whether attempts use connections of their own, which say nothing about those of the client.
    pub(super) is_apart: bool,
}

/// What all calls of a client share.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) policy: DynPolicy<Error>,
    pub(super) limits: Limits,
    pub(super) is_clustered: bool,
    /// Whether there is neither a deadline nor a guard.
    pub(super) is_plain: bool,
    /// The user's options, but one attempt, and always a timeout, which is not zero.
    pub(super) options: Options,
    /// The timeout that the user gave with options, whatever the policy says.
    pub(super) timeout: Option<Duration>,
    /// How long an attempt that does not block may take.
    pub(super) patience: Patience,
}

impl Settings {
    /// Makes the settings of single attempts, with the timeout that the user gave.
    pub(super) fn without_retries(options: Options, timeout: Option<Duration>) -> Self {
        let policy = DynPolicy::new(crate::policy::Never);
        Self {
            policy,
            limits: Limits::default(),
            is_clustered: false,
            is_plain: true,
            patience: Patience::of(options.timeout),
            options,
            timeout,
        }
    }

    fn new<P, C: Target>(policy: P, client: &C, mut options: Options) -> Self
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        let limits = policy.limits();
        let default =
            Some(client.perf_config().default_command_timeout).filter(|timeout| !timeout.is_zero());
        // Zero is no limit in options, and the shortest in a policy.
        let timeout = options.timeout.filter(|timeout| !timeout.is_zero());
        options.max_attempts = Some(1);
        options.timeout = limits
            .attempt_timeout
            .map(|limit| limit.max(SHORTEST))
            .or(timeout)
            .or(default)
            .or(Some(DEFAULT_ATTEMPT_TIMEOUT));
        let is_timed = limits.deadline.is_some() || limits.retry_for.is_some();
        let is_plain = !is_timed && policy.guards().is_empty();
        let policy = DynPolicy::new(policy);
        let patience = Patience::of(options.timeout);
        let is_clustered = client.is_clustered();
        Self { policy, limits, is_clustered, is_plain, options, timeout, patience }
    }
}

impl<C: Target> Direct<'_, C> {
    /// Tells whether nothing says to which node of a cluster a command without a key belongs.
    pub(super) fn needs_slot(&self) -> bool {
        let options = &self.settings.options;
        self.client.is_clustered()
            && options.cluster_hash.is_none()
            && options.cluster_node.is_none()
    }
}

/// A client that connects by itself.
impl Commands<Direct<'static, Client>> {
    /// Connects with settings under which calls fail instead of hanging, and owns the connection.
    ///
    /// fred reconnects without end, after 100 ms at first and at most 1 s, and gives a server two seconds for each answer
    /// while it connects; where it gives up nevertheless, the next command connects.
    /// On a cluster it follows no redirect by itself, so that a command that was sent to the wrong node is known not to
    /// be executed, and is retried.
    ///
    /// ```no_run
    /// use fred::prelude::*;
    /// use retry_runtime::{RetryPolicy, fred::RetryClient};
    ///
    /// # async fn example() -> FredResult<()> {
    /// let config = Config::from_url("redis://127.0.0.1:6379")?;
    /// let client = RetryClient::connect(config, RetryPolicy::exponential().retries(5)).await?;
    /// let visits: i64 = client.incr("visits").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The first connection is tried once: a wrong address, a wrong password or a server that still loads its data is
    /// reported at once.
    /// The error names the address, and the likeliest mistake where the other end does not speak the protocol, or
    /// expects TLS.
    pub async fn connect<P>(config: Config, policy: P) -> FredResult<Self>
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        Self::connect_with(Builder::from_config(config), policy).await
    }

    /// Connects as [`connect`](Self::connect), to the server of a URL as fred's `Config::from_url` reads it.
    ///
    /// A build of fred without TLS drops the `s` of `rediss://` from the configuration and would send the password as
    /// plain text; nobody can tell from a `Config` what the URL was.
    ///
    /// ```no_run
    /// use fred::prelude::*;
    /// use retry_runtime::{RetryPolicy, fred::RetryClient};
    ///
    /// # async fn example() -> FredResult<()> {
    /// let url = std::env::var("REDIS_URL").unwrap_or("redis://127.0.0.1:6379".into());
    /// let client = RetryClient::connect_url(&url, RetryPolicy::exponential()).await?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); and a URL that asks for TLS is refused in a build without it.
    pub async fn connect_url<P>(url: &str, policy: P) -> FredResult<Self>
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        let config = Config::from_url(url)?;
        let scheme = url.trim_start().split(':').next().unwrap_or_default().to_ascii_lowercase();
        let wants_tls = scheme.starts_with("rediss") || scheme.starts_with("valkeys");
        if wants_tls && !config.uses_tls() {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "`{scheme}://` needs TLS: enable `enable-rustls-ring`, `enable-rustls` or `enable-native-tls` of fred"
                ),
            ));
        }
        Self::connect(config, policy).await
    }

    /// Connects as [`connect`](Self::connect), with more settings; a reconnect policy that is there stays.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); and `max_command_buffer_len` is refused, because fred 10.1 stops sending after
    /// the buffer was full once.
    pub async fn connect_with<P>(mut builder: Builder, policy: P) -> FredResult<Self>
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        if builder.get_policy().is_none() {
            builder.set_policy(ReconnectPolicy::new_exponential(0, 100, 1_000, 2));
        }
        builder.with_connection_config(|connection| {
            // One answer of a server; while fred waits for it, it does not try the next address.
            let limit = &mut connection.internal_command_timeout;
            *limit = if *limit == FRED_DEFAULT { CONNECT_ANSWER } else { *limit };
            // An attempt is one write, so fred follows no redirect; asked to, it takes the write for a failed one
            // after `MOVED`, and ends after `ASK`.
            connection.max_redirections = 0;
        });
        let client = builder.build()?.with_retry(policy);
        client.init().await?;
        Ok(client)
    }
}

/// Makes a fred client retry its commands.
pub trait WithRetry: Target {
    /// Wraps the client; the connection is shared.
    ///
    /// The options of a [`WithOptions`] are taken over, but for `max_attempts`: an attempt is one write.
    /// Connect with [`init`](Commands::init) of the result: then a connection that fred gave up is made again.
    /// A client that is connected already and has no reconnect policy works only until that connection is lost, and a
    /// warning is logged.
    /// A client with `max_command_buffer_len` is refused by `init` and by every command: fred 10.1 stops sending after
    /// that buffer was full once.
    fn with_retry<P>(self, policy: P) -> RetryClient<Self::Client>
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        let (client, options) = self.split();
        if client.is_connected() && !client.has_reconnect_policy() {
            telemetry::never_reconnects();
        }
        let budgets = Budgets::new(Budget::builder(), &client.client_config().server);
        let budgets = budgets.ok().map(Arc::new);
        Commands::new(Direct {
            connection: Connection::of(&client),
            members: client.members().into(),
            settings: Arc::new(Settings::new(policy, &client, options)),
            client,
            budgets,
            counters: Arc::default(),
            consent: Consent::default(),
            hooks: Hooks::default(),
            is_apart: false,
        })
    }
}

impl<C: Target> WithRetry for C {}

impl<C: Target + NotSentinel> NotSentinel for Direct<'_, C> {}

impl<C: Clone> Clone for Direct<'_, C> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            members: Arc::clone(&self.members),
            connection: Arc::clone(&self.connection),
            settings: Arc::clone(&self.settings),
            budgets: self.budgets.clone(),
            counters: Arc::clone(&self.counters),
            consent: self.consent,
            hooks: self.hooks.clone(),
            is_apart: self.is_apart,
        }
    }
}

impl<C> fmt::Debug for Direct<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Direct")
            .field("policy", &self.settings.policy)
            .field("budgets", &self.budgets)
            .field("consent", &self.consent)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

/// Variants of the client; each shares the connection, costs no more than a clone, and leaves the original as it is.
impl<'h, C: Target> Commands<Direct<'h, C>> {
    fn with(&self, change: impl FnOnce(&mut Direct<'h, C>)) -> Self {
        let mut direct = self.sender().clone();
        change(&mut direct);
        Self::new(direct)
    }

    /// Returns a client with another policy, which replaces this one.
    pub fn with_policy<P>(&self, policy: P) -> Self
    where
        P: Decide<Error, Answer> + fmt::Debug + Send + Sync + 'static,
        P::State: Send + Sync + 'static,
    {
        self.with(|direct| {
            let mut options = direct.settings.options.clone();
            options.timeout = direct.settings.timeout;
            direct.settings = Arc::new(Settings::new(policy, &direct.client, options));
        })
    }

    /// Returns a client with other options of fred for each attempt.
    ///
    /// What `options` leaves out stays as it was; `max_attempts` has no effect, an attempt is one write.
    /// A timeout replaces the attempt timeout of the policy, and holds for blocking commands too; zero is none.
    pub fn with_options(&self, options: &Options) -> Self {
        self.with(|direct| {
            let mut merged = direct.settings.options.clone();
            let before = merged.timeout;
            let given = options.timeout.filter(|timeout| !timeout.is_zero());
            merged.extend(options);
            merged.max_attempts = Some(1);
            merged.timeout = given.or(before);
            direct.settings = Arc::new(Settings {
                policy: direct.settings.policy.clone(),
                limits: direct.settings.limits,
                is_clustered: direct.settings.is_clustered,
                is_plain: direct.settings.is_plain,
                patience: Patience::of(merged.timeout),
                options: merged,
                timeout: given.or(direct.settings.timeout),
            });
        })
    }

    /// Returns a client whose retries are paid from budgets of its own, one for each node.
    ///
    /// A client has budgets with the defaults of [`Budget`] from the start; the clients made from it share them.
    /// A budget of the policy is used instead, for all nodes together.
    ///
    /// Telemetry shows the budget of a node by its address, behind the name of the settings if they have one, such as
    /// `cache@10.0.0.1:6379`; that of a whole client by its name, or else by the address in its configuration.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError`] if the settings contradict each other.
    pub fn with_budgets(&self, settings: BudgetBuilder) -> Result<Self, ConfigError> {
        let config = self.fred().client_config();
        let budgets = Arc::new(Budgets::new(settings, &config.server)?);
        Ok(self.with(|direct| direct.budgets = Some(budgets)))
    }

    /// Returns a client whose retries are limited by its policy alone.
    ///
    /// In an outage every call then makes all its attempts, which may be what keeps a server down.
    pub fn without_budgets(&self) -> Self {
        self.with(|direct| direct.budgets = None)
    }

    /// Returns what became of the commands that failed at first, of this client and of those made from it.
    pub fn statistics(&self) -> Statistics {
        let direct = self.sender();
        let of_policy = direct.settings.policy.guards().budget_statistics();
        let budgets = match &direct.budgets {
            Some(budgets) if of_policy.is_empty() => budgets.statistics(),
            _ => of_policy.into_iter().map(|statistics| (None, statistics)).collect(),
        };
        direct.counters.snapshot(budgets)
    }

    /// Returns a client that sends every command again after an unknown outcome.
    ///
    /// The caller says that doing it twice does no harm; the command may be executed once per attempt.
    pub fn idempotent(&self) -> Self {
        self.with(|direct| direct.consent = Consent::Always)
    }

    /// Returns a client that sends no command again after an unknown outcome, not even a read.
    ///
    /// What was certainly not executed is still retried.
    pub fn at_most_once(&self) -> Self {
        self.with(|direct| direct.consent = Consent::AtMostOnce)
    }

    /// Returns the client that was wrapped, for everything that is not retried: events, metrics, scans, state.
    ///
    /// Commands sent on it are not retried by us, but by fred according to its own settings.
    pub fn fred(&self) -> &C {
        &self.sender().client
    }
}

/// What fred does with the connection, unchanged: none of it is retried.
impl<C: Target> Commands<Direct<'_, C>> {
    /// Connects and waits until the connection is there, as fred's [`init`](::fred::interfaces::ClientLike::init).
    ///
    /// A connection made here is made again when fred gives it up: the next command connects, for as long as the
    /// policy retries.
    /// Of a client that was connected before it was wrapped this is not noticed; every command then fails by its
    /// timeout.
    /// The handle ends when fred's task has ended and no other was started in its place.
    ///
    /// # Errors
    ///
    /// The first connection is tried once: a wrong address, a wrong password or a server that still loads its data is
    /// reported at once, with the address.
    pub async fn init(&self) -> FredResult<ConnectHandle> {
        self.sender().connection.init(self.fred()).await
    }

    /// Waits until the connection is there, as fred's [`wait_for_connect`](::fred::interfaces::ClientLike::wait_for_connect).
    ///
    /// # Errors
    ///
    /// Returns why there is none.
    pub async fn wait_for_connect(&self) -> FredResult<()> {
        self.fred().wait_for_connect().await
    }

    /// Closes the connection, as fred's [`quit`](::fred::interfaces::ClientLike::quit); commands that follow fail at
    /// once until the next [`init`](Self::init), and no policy repeats them.
    ///
    /// # Errors
    ///
    /// Returns what fred does.
    pub async fn quit(&self) -> FredResult<()> {
        let connection = &self.sender().connection;
        connection.close();
        self.fred().quit().await?;
        connection.note_closed(self.fred());
        Ok(())
    }
}

/// Variants with hooks, which may borrow for as long as the variant lives.
impl<C: Target> Commands<Direct<'_, C>> {
    fn hooked<'n>(&self, change: impl FnOnce(&mut Hooks<'n>)) -> Commands<Direct<'n, C>>
    where
        Self: 'n,
    {
        let Direct {
            client,
            members,
            connection,
            settings,
            budgets,
            counters,
            consent,
            hooks,
            is_apart,
        } = self.sender().clone();
        let mut hooks: Hooks<'n> = hooks;
        change(&mut hooks);
        Commands::new(Direct {
            client,
            members,
            connection,
            settings,
            budgets,
            counters,
            consent,
            hooks,
            is_apart,
        })
    }

    /// Returns a client that awaits a hook before every attempt.
    ///
    /// One that fails ends the retrying; before the first attempt there is no error to return yet, so that attempt is
    /// made, and no other.
    pub fn before<'n, H, X>(&self, hook: H) -> Commands<Direct<'n, C>>
    where
        Self: 'n,
        H: AsyncFn(&Attempt) -> X + for<'a> ClientHook<'a, Attempt> + 'n,
    {
        self.hooked(|hooks| hooks.before = Some(Arc::new(hook)))
    }

    /// Returns a client that awaits a hook after every failure that will be retried, before the wait: the place to
    /// repair.
    ///
    /// One that fails ends the retrying, and the caller gets the error of the command.
    ///
    /// ```no_run
    /// use fred::prelude::*;
    /// use retry_runtime::{ErrorClass, RetryPolicy, fred::RetryClient};
    ///
    /// # async fn example(client: RetryClient) -> FredResult<()> {
    /// let once = RetryPolicy::constant(std::time::Duration::ZERO).retries(1).on(ErrorClass::WRONG_TYPE);
    /// let length: i64 = client
    ///     .with_policy(once)
    ///     .on_failure(async |_| client.del::<(), _>("mylist").await)
    ///     .lpush("mylist", vec![1, 2, 3])
    ///     .await?;
    /// # let _ = length;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_failure<'n, H, X>(&self, hook: H) -> Commands<Direct<'n, C>>
    where
        Self: 'n,
        H: AsyncFn(&Failure<'_, Error>) -> X + for<'a> ClientHook<'a, Failure<'a, Error>> + 'n,
    {
        self.hooked(|hooks| hooks.on_failure = Some(Arc::new(hook)))
    }

    /// Returns a client that awaits a hook once, when a command ends without success.
    ///
    /// The failure's [`disposition`](Failure::disposition) tells whether the command may have been executed.
    pub fn on_give_up<'n, H, X>(&self, hook: H) -> Commands<Direct<'n, C>>
    where
        Self: 'n,
        H: AsyncFn(&GiveUp<'_, Error>) -> X + for<'a> ClientHook<'a, GiveUp<'a, Error>> + 'n,
    {
        self.hooked(|hooks| hooks.on_give_up = Some(Arc::new(hook)))
    }
}

/// The client of an attempt.
pub(super) type Once<C> = WithOptions<C>;
