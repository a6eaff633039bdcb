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

/// Methods that are no commands to retry, by the reason; what is left out is reached through `fred()`.
const NOT_RETRIED: &[(&str, &[&str])] = &[
    // Implementation, settings and state of the client: nothing is sent.
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
            "with_options",
        ],
    ),
    ("ClusterInterface", &["cached_cluster_state", "num_primary_cluster_nodes"]),
    ("ClientInterface", &["connection_ids"]),
    ("ServerInterface", &["sentinel_primary", "sentinel_nodes"]),
    // The life of the connection: fred's reconnect policy retries it, and ours makes it anew.
    ("ClientLike", &["connect", "force_reconnection", "wait_for_connect", "init", "quit"]),
    ("ClusterInterface", &["sync_cluster"]),
    // Ends the server: success is a lost connection.
    ("ClientLike", &["shutdown"]),
    // Who is connected belongs to the connection: sent again on another, with other rights, it would make that one
    // somebody else's. fred does both itself on every new connection.
    ("AuthInterface", &["auth", "hello"]),
    // Listens, and sends nothing.
    ("TrackingInterface", &["on_invalidation", "invalidation_rx"]),
];

/// Interfaces without a command: events, counters, a loop that sends `PING` until it fails, and fred's transaction,
/// which sends `EXEC` twice and is replaced by `Commands::multi`.
const NOT_WRAPPED: [&str; 4] =
    ["EventInterface", "HeartbeatInterface", "MetricsInterface", "TransactionInterface"];

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

/// Returns the conversion of a generic argument, or of the generic in it.
fn conversion(signature: &Signature, ty: &str) -> String {
    let convertible = |name: &str| {
        bound(signature, name)
            .filter(|bound| bound.starts_with("Into<") || bound.starts_with("TryInto<"))
    };
    let inside = ["Option", "Vec"].iter().find_map(|outer| {
        let inner = ty.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>')?;
        Some(format!("=>{outer}<{inner}:{}>", convertible(inner)?))
    });
    let items = || {
        let bound = bound(signature, ty).filter(|bound| bound.starts_with("IntoIterator<"))?;
        let item = bound.strip_prefix("IntoIterator<Item=")?.strip_suffix('>')?;
        let into = convertible(item).map_or_else(String::new, |into| format!("of{into}"));
        Some(format!("=>{bound}{into}"))
    };
    let itself = || Some(format!("=>{}", convertible(ty)?));
    inside.or_else(items).or_else(itself).unwrap_or_default()
}

/// Returns the first bound of a generic.
fn bound(signature: &Signature, name: &str) -> Option<String> {
    let predicates = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let mut bounds = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if text(&predicate.bounded_ty) == name => {
            predicate.bounds.first().map(text)
        }
        _ => None,
    });
    bounds.next()
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

/// A wrapped client is called through fred's `WithOptions`, which has the methods of the traits and not those that a
/// kind of client puts in their place: each of these needs a way of its own.
#[test]
fn no_kind_of_client_has_commands_of_its_own_but_those_that_are_sent_by_hand() {
    let files = fs::read_dir(fred().join("clients")).expect("the clients");
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file.expect("a file").path()).expect("the source of fred");
        for item in syn::parse_file(&text).expect("Rust").items {
            let Item::Impl(item) = item else { continue };
            let Some((interface, _)) = &item.trait_ else { continue };
            let interface = interface.segments.last().expect("a name").ident.to_string();
            for part in item.items {
                let syn::ImplItem::Fn(method) = part else { continue };
                found.insert((interface.clone(), method.sig.ident.to_string()));
            }
        }
    }
    let by_hand = |interface: &str, method: &str| {
        let lines = COMMANDS.iter().copied().flatten();
        lines
            .filter(|line| line.signature == "by hand")
            .any(|line| (line.interface, line.method) == (interface, method))
    };
    let commands = COMMANDS.iter().copied().flatten();
    let commands = commands.map(|line| (line.interface, line.method)).collect::<BTreeSet<_>>();
    let own = found
        .iter()
        .map(|(interface, method)| (interface.as_str(), method.as_str()))
        .filter(|command| commands.contains(command))
        .collect::<Vec<_>>();
    assert!(own.contains(&("PubsubInterface", "subscribe")), "{own:?}");
    let lost = own.iter().filter(|(interface, method)| !by_hand(interface, method));
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}
