//! The commands of [search and query](https://redis.io/docs/latest/commands/?group=search).

use ::fred::{
    bytes::Bytes,
    bytes_utils::Str,
    interfaces::RediSearchInterface,
    types::{
        Key, MultipleStrings, Value,
        redisearch::{
            FtAggregateOptions, FtAlterOptions, FtCreateOptions, FtSearchOptions, SearchSchema,
            SpellcheckTerms,
        },
    },
};

use crate::fred::{
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { RediSearchInterface;
    "FT._LIST" [Read] ft_list<R>() -> R;
    "FT.AGGREGATE" [aggregate_class(&options)] ft_aggregate<R, I, Q>(index: I => Into<Str>, query: Q => Into<Str>, options: FtAggregateOptions) -> R;
    "FT.SEARCH" [Read] ft_search<R, I, Q>(index: I => Into<Str>, query: Q => Into<Str>, options: FtSearchOptions) -> R;
    "FT.CREATE" [SameState] ft_create<R, I>(index: I => Into<Str>, options: FtCreateOptions, schema: Vec<SearchSchema>) -> R;
    "FT.ALTER" [SameState] ft_alter<R, I>(index: I => Into<Str>, options: FtAlterOptions) -> R;
    "FT.ALIASADD" [SameState] ft_aliasadd<R, A, I>(alias: A => Into<Str>, index: I => Into<Str>) -> R;
    "FT.ALIASDEL" [SameState] ft_aliasdel<R, A>(alias: A => Into<Str>) -> R;
    "FT.ALIASUPDATE" [Idempotent] ft_aliasupdate<R, A, I>(alias: A => Into<Str>, index: I => Into<Str>) -> R;
    "FT.CONFIG GET" [Read] ft_config_get<R, S>(option: S => Into<Str>) -> R;
    "FT.CONFIG SET" [Idempotent] ft_config_set<R, S, V>(option: S => Into<Str>, value: V => TryInto<Value>) -> R;
    "FT.CURSOR DEL" [SameState] ft_cursor_del<R, I, C>(index: I => Into<Str>, cursor: C => TryInto<Value>) -> R;
    "FT.CURSOR READ" [NotIdempotent] ft_cursor_read<R, I, C>(index: I => Into<Str>, cursor: C => TryInto<Value>, count: Option<u64>) -> R;
    // The futures of fred's are not `Send`.
    "FT.DICTADD" [SameState] ft_dictadd<R, D, S>(dict: D => Into<Str>, terms: S => Into<MultipleStrings>) -> R by words;
    "FT.DICTDEL" [SameState] ft_dictdel<R, D, S>(dict: D => Into<Str>, terms: S => Into<MultipleStrings>) -> R by words;
    "FT.DICTDUMP" [Read] ft_dictdump<R, D>(dict: D => Into<Str>) -> R by words;
    "FT.DROPINDEX" [SameState] ft_dropindex<R, I>(index: I => Into<Str>, dd: bool) -> R;
    "FT.EXPLAIN" [Read] ft_explain<R, I, Q>(index: I => Into<Str>, query: Q => Into<Str>, dialect: Option<i64>) -> R;
    "FT.INFO" [Read] ft_info<R, I>(index: I => Into<Str>) -> R;
    "FT.SPELLCHECK" [Read] ft_spellcheck<R, I, Q>(index: I => Into<Str>, query: Q => Into<Str>, distance: Option<u8>, terms: Option<SpellcheckTerms>, dialect: Option<i64>) -> R;
    "FT.SUGADD" [suggestion_class(incr)] ft_sugadd<R, K, S>(key: K => Into<Key>, string: S => Into<Str>, score: f64, incr: bool, payload: Option<Bytes>) -> R;
    "FT.SUGDEL" [SameState] ft_sugdel<R, K, S>(key: K => Into<Key>, string: S => Into<Str>) -> R;
    "FT.SUGGET" [Read] ft_sugget<R, K, P>(key: K => Into<Key>, prefix: P => Into<Str>, fuzzy: bool, withscores: bool, withpayloads: bool, max: Option<u64>) -> R;
    "FT.SUGLEN" [Read] ft_suglen<R, K>(key: K => Into<Key>) -> R;
    "FT.SYNDUMP" [Read] ft_syndump<R, I>(index: I => Into<Str>) -> R;
    "FT.SYNUPDATE" [SameState] ft_synupdate<R, I, S, T>(index: I => Into<Str>, synonym_group_id: S => Into<Str>, skipinitialscan: bool, terms: T => Into<MultipleStrings>) -> R;
    "FT.TAGVALS" [Read] ft_tagvals<R, I, F>(index: I => Into<Str>, field_name: F => Into<Str>) -> R;
}

/// A cursor stays open on the server, and its number is in the answer.
fn aggregate_class(options: &FtAggregateOptions) -> Replay {
    if options.cursor.is_some() { NotIdempotent } else { Read }
}

/// `INCR` adds to the score each time.
fn suggestion_class(incr: bool) -> Replay {
    if incr { NotIdempotent } else { SameState }
}
