//! The table against the source of fred: a release that adds or changes a method fails here.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use quote::ToTokens;
use retry_runtime::fred::COMMANDS;
use serde_json::Value;
use syn::{FnArg, GenericParam, Item, Signature, TraitItem, WherePredicate};

/// Methods that are no commands to retry: the life of the connection, events, metrics, what fred keeps in memory, and
/// what ends the server.
const NOT_RETRIED: &[(&str, &[&str])] = &[
    (
        "ClientLike",
        &[
            "inner",
            "change_command",
            "send_command",
            "id",
            "client_config",
            "client_reconnect_policy",
            "connection_config",
            "protocol_version",
            "has_reconnect_policy",
            "is_clustered",
            "uses_sentinels",
            "update_perf_config",
            "perf_config",
            "state",
            "is_connected",
            "active_connections",
            "server_version",
            "set_resolver",
            "connect",
            "force_reconnection",
            "wait_for_connect",
            "init",
            "quit",
            "shutdown",
            "with_options",
        ],
    ),
    ("ClusterInterface", &["cached_cluster_state", "num_primary_cluster_nodes", "sync_cluster"]),
    ("ClientInterface", &["connection_ids"]),
    ("ServerInterface", &["sentinel_primary", "sentinel_nodes"]),
    // Changes the connection: to repeat it belongs to who connects.
    ("AuthInterface", &["auth", "hello"]),
    // For developers at a terminal; and sent to every node by methods that lose the options.
    (
        "LuaInterface",
        &["script_debug", "script_load_cluster", "script_kill_cluster", "script_flush_cluster"],
    ),
];

/// Interfaces that the client does not have: what is sent on them is sent on the wrapped client.
const NOT_WRAPPED: [&str; 9] = [
    "EventInterface",
    "HeartbeatInterface",
    "MetricsInterface",
    "TrackingInterface",
    "TransactionInterface",
    "RedisJsonInterface",
    "RediSearchInterface",
    "SentinelInterface",
    "TimeSeriesInterface",
];

fn fred() -> PathBuf {
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--offline", "--locked", "--format-version=1"];
    let host = Command::new("rustc").arg("-vV").output().expect("rustc runs").stdout;
    let host = String::from_utf8(host).expect("text");
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let output = Command::new(program)
        .args(arguments)
        .args(["--filter-platform", host])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let fred = packages.iter().find(|package| package["name"] == "fred").expect("fred");
    let manifest = Path::new(fred["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a folder").join("src")
}

/// Reads the signature of every method of fred's interfaces, in the notation of the table.
fn methods() -> BTreeMap<(String, String), String> {
    let source = fred();
    let mut files = vec![source.join("interfaces.rs"), source.join("runtime/_tokio.rs")];
    let folder = fs::read_dir(source.join("commands/interfaces")).expect("the interfaces");
    files.extend(folder.map(|file| file.expect("a file").path()));
    let mut found = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the source of fred");
        for item in syn::parse_file(&text).expect("Rust").items {
            let Item::Trait(interface) = item else { continue };
            for method in interface.items {
                let TraitItem::Fn(method) = method else { continue };
                let key = (interface.ident.to_string(), method.sig.ident.to_string());
                found.insert(key, signature(&method.sig));
            }
        }
    }
    found
}

fn signature(signature: &Signature) -> String {
    let generics = signature.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
        _ => None,
    });
    let generics = generics.collect::<Vec<_>>().join(",");
    let arguments = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => {
            let ty = text(&argument.ty);
            let conversion = conversion(signature, &ty);
            Some(format!("{}:{ty}{conversion}", text(&argument.pat)))
        }
        FnArg::Receiver(_) => None,
    });
    let arguments = arguments.collect::<Vec<_>>().join(",");
    let returns = text(&signature.output);
    let answer = if returns.contains("Result<R") { "->R" } else { "" };
    format!("<{generics}>({arguments}){answer}")
}

/// Returns the `Into` or `TryInto` bound of a generic argument.
fn conversion(signature: &Signature, ty: &str) -> String {
    let predicates = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let mut bounds = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if text(&predicate.bounded_ty) == ty => {
            predicate.bounds.first().map(text)
        }
        _ => None,
    });
    let bound = bounds.find(|bound| bound.starts_with("Into<") || bound.starts_with("TryInto<"));
    bound.map_or_else(String::new, |bound| format!("=>{bound}"))
}

fn text(tokens: &impl ToTokens) -> String {
    without_spaces(&tokens.to_token_stream().to_string())
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn every_method_of_fred_is_there_or_named_here() {
    let fred = methods();
    assert!(fred.len() > 400, "the source of fred was not read: {}", fred.len());
    let table = COMMANDS.iter().copied().flatten();
    let mut table: BTreeMap<_, _> =
        table.map(|line| ((line.interface.to_owned(), line.method.to_owned()), line)).collect();
    let mut wrong = Vec::new();
    for ((interface, method), expected) in &fred {
        let line = table.remove(&(interface.clone(), method.clone()));
        let named = NOT_WRAPPED.contains(&interface.as_str())
            || NOT_RETRIED
                .iter()
                .any(|(name, methods)| name == interface && methods.contains(&method.as_str()));
        match line {
            Some(line) if line.signature == "by hand" => {}
            Some(line) if without_spaces(line.signature) == *expected => {}
            Some(line) => wrong.push(format!("{interface}::{method}: {expected}, not {line:?}")),
            None if named => {}
            None => wrong.push(format!("{interface}::{method} is missing: {expected}")),
        }
    }
    wrong.extend(table.into_keys().map(|(_, method)| format!("fred has no {method}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_named_here_is_in_fred() {
    let fred = methods();
    let interfaces: BTreeSet<_> = fred.keys().map(|(interface, _)| interface.as_str()).collect();
    assert!(NOT_WRAPPED.iter().all(|interface| interfaces.contains(interface)));
    for (interface, methods) in NOT_RETRIED {
        for method in *methods {
            let key = ((*interface).to_owned(), (*method).to_owned());
            assert!(fred.contains_key(&key), "{interface}::{method}");
        }
    }
}
