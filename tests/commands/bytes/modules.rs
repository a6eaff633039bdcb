//! The commands of modules, which no server here can execute.

use fred::{
    prelude::*,
    serde_json::json,
    types::{
        SortOrder,
        redisearch::{
            AggregateOperation, FtAggregateOptions, FtAlterOptions, FtCreateOptions,
            FtSearchOptions, IndexKind, SearchSchema, SearchSchemaKind, SearchSortBy,
            SpellcheckTerms, WithCursor,
        },
        timeseries::{
            Aggregator, DuplicatePolicy, Encoding, GetLabels, GroupBy, Reducer, Timestamp,
        },
    },
};

use super::{bench, compare, table};

const NO_PATH: Option<&str> = None;

#[tokio::test]
async fn json() {
    let bench = bench().await;
    let (fred, wrapped) = (bench.client.fred().clone(), bench.client.clone());
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
    let bench = bench().await;
    let (fred, wrapped) = (bench.client.fred().clone(), bench.client.clone());
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

/// fred's own futures of these are not.
#[tokio::test]
async fn the_dictionaries_of_search_can_be_asked_from_any_task() {
    let bench = bench().await;
    let (_, wrapped) = (bench.client.fred().clone(), bench.client.clone());
    let ask = async move {
        let added: FredResult<Value> = wrapped.ft_dictadd("d", "a").await;
        let deleted: FredResult<Value> = wrapped.ft_dictdel("d", "a").await;
        let dump: FredResult<Value> = wrapped.ft_dictdump("d").await;
        [added, deleted, dump].map(|answer| answer.is_err())
    };
    // The server has no search.
    assert_eq!(tokio::spawn(ask).await.expect("no panic"), [true; 3]);
}

#[tokio::test]
async fn time_series() {
    let bench = bench().await;
    let (fred, wrapped) = (bench.client.fred().clone(), bench.client.clone());
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
