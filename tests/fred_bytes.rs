//! Commands that no server here can execute, and those that are sent by their words: the bytes are those of fred.
#![allow(missing_docs)]

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use fred::{
    bytes_utils::Str,
    clients::SentinelClient,
    prelude::*,
    serde_json::json,
    types::{
        RespVersion, SentinelFailureKind, SortOrder,
        config::SentinelConfig,
        redisearch::{
            AggregateOperation, FtAggregateOptions, FtAlterOptions, FtCreateOptions,
            FtSearchOptions, IndexKind, SearchSchema, SearchSchemaKind, SearchSortBy,
            SpellcheckTerms, WithCursor,
        },
        scripts::ScriptDebugFlag,
        timeseries::{
            Aggregator, DuplicatePolicy, Encoding, GetLabels, GroupBy, Reducer, Timestamp,
        },
    },
};
use retry_runtime::{
    Never, RetryPolicy,
    fred::{COMMANDS, RetryClient, WithRetry},
};
use retry_tests::{Fault, FaultProxy, RedisServer};

struct Bench {
    _server: RedisServer,
    proxy: FaultProxy,
}

impl Bench {
    async fn new() -> Self {
        let server = RedisServer::start(&[]);
        let proxy = FaultProxy::start(server.port()).await.expect("a free port");
        Self { _server: server, proxy }
    }

    async fn client(&self) -> (Client, RetryClient) {
        let client = Builder::from_config(Config {
            server: ServerConfig::new_centralized("127.0.0.1", self.proxy.port()),
            version: RespVersion::RESP3,
            ..Config::default()
        });
        let client = client.build().expect("the configuration is complete");
        client.init().await.expect("the server is up");
        (client.clone(), client.with_retry(Never))
    }

    /// The server refuses what it does not know; fred does not mind that it is no sentinel.
    async fn sentinel(&self) -> SentinelClient {
        let (host, port) = ("127.0.0.1".to_owned(), self.proxy.port());
        let config = SentinelConfig { host, port, ..SentinelConfig::default() };
        let client = SentinelClient::new(config, None, None, None);
        client.init().await.expect("the server is up");
        client
    }
}

/// Sends each command by fred and by the client around it, and compares; returns the names of the methods.
macro_rules! compare {
    ($bench:ident, $fred:ident, $wrapped:ident; $($method:ident($($argument:expr),*) $(-> $answer:ty)?;)*) => {{
        let mut names = BTreeSet::new();
        $bench.proxy.take_recorded();
        $(
            let _: FredResult<compare!(@answer $($answer)?)> = $fred.$method($($argument),*).await;
            let expected = $bench.proxy.take_recorded();
            let _: FredResult<compare!(@answer $($answer)?)> = $wrapped.$method($($argument),*).await;
            let sent = $bench.proxy.take_recorded();
            assert_eq!(expected.len(), 1, "fred sends {} once", stringify!($method));
            let [sent, expected] =
                [sent, expected].map(|bytes| String::from_utf8(bytes.concat()).expect("text"));
            assert_eq!(sent, expected, "{}", stringify!($method));
            names.insert(stringify!($method));
        )*
        names
    }};
    (@answer) => { Value };
    (@answer $answer:ty) => { $answer };
}

/// The methods of an interface in the table.
fn table(interface: &str) -> BTreeSet<&'static str> {
    let lines = COMMANDS.iter().copied().flatten().filter(|line| line.interface == interface);
    lines.map(|line| line.method).collect()
}

const NO_PATH: Option<&str> = None;

#[tokio::test]
async fn json() {
    let bench = Bench::new().await;
    let (fred, wrapped) = bench.client().await;
    let names = compare! { bench, fred, wrapped;
        json_arrappend("k", "$.a", vec![json!("text"), json!(1), json!([null])]);
        json_arrindex("k", "$.a", json!({"b": 1}), None, None);
        json_arrindex("k", "$.a", "text", Some(1), Some(-1));
        json_arrinsert("k", "$.a", -1, vec!["one", "two"]);
        json_arrlen("k", NO_PATH);
        json_arrlen("k", Some("$.a"));
        json_arrpop("k", Some("$.a"), Some(-1));
        json_arrpop("k", NO_PATH, None);
        json_arrtrim("k", "$.a", 0, 3);
        json_clear("k", Some("$.a"));
        json_debug_memory("k", Some("$.a"));
        json_del("k", "$.a");
        json_get("k", Some("\t"), Some("\n"), Some(" "), vec!["$.a", "$.b"]);
        json_get("k", NO_PATH, NO_PATH, NO_PATH, "$");
        json_merge("k", "$.a", json!({"b": null}));
        json_mget(vec!["k", "l"], "$.a");
        json_mset(vec![("k", "$", json!(1)), ("l", "$", json!("text"))]);
        json_numincrby("k", "$.a", 1.5);
        json_objkeys("k", Some("$.a"));
        json_objlen("k", NO_PATH);
        json_resp("k", Some("$"));
        json_set("k", "$", json!({"a": [1, 2]}), None);
        json_set("k", "$.a", 1, Some(SetOptions::NX));
        json_strappend("k", Some("$.a"), "more");
        json_strlen("k", Some("$.a"));
        json_toggle("k", "$.a");
        json_type("k", NO_PATH);
    };
    assert_eq!(names, table("RedisJsonInterface"));
}

fn schema() -> Vec<SearchSchema> {
    let numeric = SearchSchemaKind::Numeric { sortable: true, unf: false, noindex: false };
    vec![SearchSchema { field_name: "price".into(), alias: Some("p".into()), kind: numeric }]
}

fn aggregate() -> FtAggregateOptions {
    FtAggregateOptions {
        pipeline: vec![AggregateOperation::Limit { offset: 0, num: 10 }],
        cursor: Some(WithCursor { count: Some(5), max_idle: None }),
        ..FtAggregateOptions::default()
    }
}

fn search() -> FtSearchOptions {
    FtSearchOptions {
        nocontent: true,
        sortby: Some(SearchSortBy {
            attribute: "price".into(),
            order: Some(SortOrder::Desc),
            withcount: false,
        }),
        limit: Some((0, 10)),
        ..FtSearchOptions::default()
    }
}

fn index() -> FtCreateOptions {
    FtCreateOptions {
        on: Some(IndexKind::Hash),
        prefixes: vec!["item:".into()],
        ..FtCreateOptions::default()
    }
}

#[tokio::test]
async fn search_and_query() {
    let bench = Bench::new().await;
    let (fred, wrapped) = bench.client().await;
    let terms = || SpellcheckTerms::Exclude { dictionary: "d".into(), terms: vec!["a".into()] };
    let schema_change = || {
        let [schema] = <[SearchSchema; 1]>::try_from(schema()).expect("one field");
        FtAlterOptions { skipinitialscan: true, attribute: schema.field_name, options: schema.kind }
    };
    let names = compare! { bench, fred, wrapped;
        ft_list();
        ft_aggregate("i", "*", aggregate());
        ft_search("i", "@price:[0 1]", search());
        ft_create("i", index(), schema());
        ft_alter("i", schema_change());
        ft_aliasadd("a", "i");
        ft_aliasdel("a");
        ft_aliasupdate("a", "i");
        ft_config_get("*");
        ft_config_set("TIMEOUT", 1);
        ft_cursor_del("i", 7);
        ft_cursor_read("i", 7, Some(5));
        ft_dictadd("d", vec!["a", "b"]);
        ft_dictdel("d", "a");
        ft_dictdump("d");
        ft_dropindex("i", true);
        ft_dropindex("i", false);
        ft_explain("i", "*", Some(2));
        ft_info("i");
        ft_spellcheck("i", "helo", Some(2), Some(terms()), None);
        ft_sugadd("k", "hello", 1.5, true, Some("payload".into()));
        ft_sugadd("k", "hello", 1.5, false, None);
        ft_sugdel("k", "hello");
        ft_sugget("k", "he", true, true, true, Some(5));
        ft_suglen("k");
        ft_syndump("i");
        ft_synupdate("i", "g", true, vec!["a", "b"]);
        ft_tagvals("i", "tag");
    };
    assert_eq!(names, table("RediSearchInterface"));
}

#[tokio::test]
async fn time_series() {
    let bench = Bench::new().await;
    let (fred, wrapped) = bench.client().await;
    let (small, last) = (Some(Encoding::Compressed), Some(DuplicatePolicy::Last));
    let hourly = || Some((Aggregator::Avg, 3600).into());
    let no_labels: Option<GetLabels> = None;
    let grouped = || Some(GroupBy { groupby: "l".into(), reduce: Reducer::Max });
    let names = compare! { bench, fred, wrapped;
        ts_add("k", "*", 1.5, Some(60), small.clone(), Some(128), last.clone(), ("l", "v"));
        ts_add("k", 7, 1.5, None, None, None, None, ());
        ts_alter("k", Some(60), Some(128), last.clone(), ("l", "v"));
        ts_create("k", Some(60), small.clone(), Some(128), last.clone(), ("l", "v"));
        ts_createrule("k", "m", (Aggregator::Avg, 60), Some(1));
        ts_decrby("k", 1.5, Some(Timestamp::Now), Some(60), true, Some(128), ("l", "v"));
        ts_del("k", 0, 9);
        ts_deleterule("k", "m");
        ts_get("k", true);
        ts_incrby("k", 1.5, Some(7.into()), None, false, None, ());
        ts_info("k", true);
        ts_madd(vec![("k", Timestamp::Now, 1.5), ("m", 7.into(), 2.5)]);
        ts_mget(true, Some(["l"]), ["l=v"]);
        ts_mget(false, no_labels.clone(), vec!["l=v", "m!="]);
        ts_mrange("-", "+", true, [1, 2], Some((0, 9)), Some(["l"].into()), Some(5), hourly(), ["l=v"], grouped());
        ts_mrevrange(0, 9, false, [], None, no_labels.clone(), None, None, ["l=v"], None);
        ts_queryindex(["l=v"]);
        ts_range("k", "-", "+", true, [1, 2], Some((0, 9)), Some(5), hourly());
        ts_revrange("k", 0, 9, false, [], None, None, None);
    };
    assert_eq!(names, table("TimeSeriesInterface"));
}

#[tokio::test]
async fn sentinel() {
    let bench = Bench::new().await;
    let fred = bench.sentinel().await;
    let wrapped = fred.clone().with_retry(Never);
    let address: IpAddr = [127, 0, 0, 1].into();
    let names = compare! { bench, fred, wrapped;
        ckquorum("m");
        flushconfig();
        failover("m");
        get_master_addr_by_name("m");
        info_cache();
        master("m");
        masters();
        monitor("m", address, 6379, 2);
        myid();
        pending_scripts();
        remove("m");
        replicas("m");
        sentinels("m");
        set("m", ("quorum", 3));
        simulate_failure(SentinelFailureKind::CrashAfterElection);
        simulate_failure(SentinelFailureKind::CrashAfterPromotion);
        simulate_failure(SentinelFailureKind::Help);
        reset("*");
        config_get("*");
        config_set("announce-port", 6380);
    };
    assert_eq!(names, table("SentinelInterface"));
}

#[tokio::test]
async fn scripts() {
    let bench = Bench::new().await;
    let (fred, wrapped) = bench.client().await;
    let names = compare! { bench, fred, wrapped;
        eval("return ARGV[1]", vec!["k", "l"], vec!["a", "b"]);
        eval("return 1", (), ());
        evalsha("0123", "k", "a");
        script_load("return 1");
        script_load_cluster("return 1");
        script_exists(vec!["0123", "4567"]);
        script_flush(true) -> ();
        script_flush_cluster(false) -> ();
        script_kill() -> ();
        script_kill_cluster() -> ();
        script_debug(ScriptDebugFlag::No) -> ();
    };
    assert_eq!(names, table("LuaInterface"));
}

#[tokio::test]
async fn tracking() {
    let bench = Bench::new().await;
    let (fred, wrapped) = bench.client().await;
    let names = compare! { bench, fred, wrapped;
        start_tracking(vec!["a", "b"], true, false, false, true) -> ();
        stop_tracking() -> ();
        start_tracking(Vec::<Str>::new(), false, true, false, false) -> ();
    };
    assert_eq!(names, table("TrackingInterface"));
}

/// What is sent by its words has the time of the attempt, which fred's own method would take no notice of.
#[tokio::test]
async fn a_sentinel_that_does_not_answer_costs_the_time_of_the_attempt() {
    let bench = Bench::new().await;
    let fred = bench.sentinel().await;
    let policy = RetryPolicy::constant(Duration::ZERO).retries(0);
    let client = fred.with_retry(policy.attempt_timeout(Duration::from_millis(50)));
    bench.proxy.inject("SENTINEL", Fault::HoldReply, 1);
    let error = client.masters::<Value>().await.expect_err("no answer");
    assert_eq!(error.kind(), &ErrorKind::Timeout);
}

#[tokio::test]
async fn a_sentinel_is_asked_again_and_told_once() {
    let bench = Bench::new().await;
    let (host, port) = ("127.0.0.1".to_owned(), bench.proxy.port());
    let config = SentinelConfig { host, port, ..SentinelConfig::default() };
    let reconnect = ReconnectPolicy::new_constant(0, 1);
    let fred = SentinelClient::new(config, None, None, Some(reconnect));
    fred.init().await.expect("the server is up");
    let client = fred.with_retry(RetryPolicy::constant(Duration::from_millis(20)).retries(3));
    for (sends, method) in [(2, "masters"), (1, "failover")] {
        bench.proxy.inject("SENTINEL", Fault::LoseReply, 1);
        let before = bench.proxy.sent("SENTINEL");
        let _: FredResult<Value> = match method {
            "masters" => client.masters().await,
            _ => client.failover("m").await,
        };
        assert_eq!(bench.proxy.sent("SENTINEL") - before, sends, "{method}");
    }
}
