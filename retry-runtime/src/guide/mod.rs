//! The guide: a small book, one page for each need. The same pages are in `docs/` of the repository.
//!
//! | you want to | page |
//! | --- | --- |
//! | know when a retry does harm, and what "unknown outcome" means | [why] |
//! | have it working in five minutes | [quick start](quick_start) |
//! | choose delays, jitter, limits | [choosing a policy](choosing_a_policy) |
//! | say which errors are retried | [errors] |
//! | use Redis or Valkey | [Redis](redis) |
//! | protect a server that has too much to do | [overload] |
//! | see what happens, and be woken at the right moment | [telemetry] |
//! | test code that retries | [testing] |
//! | read policies from a file | [configuration] |
//! | understand a compile error | [compile errors](compile_errors) |
//! | know what not to do | [anti-patterns](anti_patterns) |
//! | move from backon, tokio-retry, tenacity, Polly or coredis | [coming from](coming_from) |
//! | look up an argument of the attribute | [`retryable`](macro@crate::retryable) |

/// Makes a module of each page; the links of the first file take precedence over those at the end of a page, which are
/// for readers of the repository.
macro_rules! pages {
    ($($name:ident = $page:literal, $items:literal;)*) => {$(
        #[doc = include_str!("links.md")]
        #[doc = include_str!(concat!("../../docs/", $page))]
        #[doc = concat!("\n# In the API\n\n", $items)]
        pub mod $name {}
    )*};
}

pages! {
    why = "why.md", "[`Disposition`](crate::Disposition), [`Classify`](crate::Classify)";
    quick_start = "quick-start.md",
        "[`retryable`](macro@crate::retryable), [`RetryPolicy`](crate::RetryPolicy), [`retry()`](crate::retry()), \
         [`RetryClient`](crate::fred::RetryClient)";
    choosing_a_policy = "choosing-a-policy.md",
        "[`RetryPolicy`](crate::RetryPolicy), [`Exponential`](crate::Exponential), [`Constant`](crate::Constant), \
         [`Jitter`](crate::Jitter), [`Composite`](crate::Composite), [`Never`](crate::Never)";
    errors = "errors.md",
        "[`Classify`](crate::Classify), [`Disposition`](crate::Disposition), [`Failure`](crate::Failure), \
         [`ErrorClass`](crate::ErrorClass)";
    redis = "redis.md",
        "[`RetryClient`](crate::fred::RetryClient), [`Commands`](crate::fred::Commands), \
         [`WithRetry`](crate::fred::WithRetry), [`Replay`](crate::fred::Replay), [`COMMANDS`](crate::fred::COMMANDS), \
         [`Script`](crate::fred::Script), [`found_nothing`](crate::fred::found_nothing), \
         [`ErrorClass`](crate::ErrorClass)";
    overload = "overload.md", "[`Budget`](crate::Budget), [`CircuitBreaker`](crate::CircuitBreaker)";
    telemetry = "telemetry.md", "[`GiveUp`](crate::GiveUp), [`Failure`](crate::Failure)";
    testing = "testing.md",
        "[`record`](crate::testing::record()), [`Outcomes`](crate::testing::Outcomes), \
         [`Overrides`](crate::testing::Overrides), [`FaultProxy`](crate::testing::FaultProxy)";
    configuration = "configuration.md", "[`DynPolicy`](crate::DynPolicy), [`RetryPolicy`](crate::RetryPolicy)";
    compile_errors = "compile-errors.md", "[`retryable`](macro@crate::retryable), [`Classify`](crate::Classify)";
    anti_patterns = "anti-patterns.md", "[`Budget`](crate::Budget), [`CircuitBreaker`](crate::CircuitBreaker)";
    coming_from = "coming-from.md", "[`RetryPolicy`](crate::RetryPolicy), [`retry()`](crate::retry())";
}
