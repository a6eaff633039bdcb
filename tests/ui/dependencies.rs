//! What the workspace depends on: licences, duplicates, and the promises of the two published crates.
//!
//! Works offline, on what cargo has already fetched for this platform.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// Licences whose terms an application can meet without asking anyone.
const ACCEPTED: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "Unicode-3.0",
    "Unlicense",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
];

/// Crates that are in the tree in two versions, and who is behind with which.
const DUPLICATES: [(&str, &str); 8] = [
    ("base64", "0.22, of the Prometheus exporter in an example"),
    ("getrandom", "0.3, of the Prometheus exporter"),
    ("hashbrown", "0.16, of the Prometheus exporter"),
    ("rand", "0.8, of fred"),
    ("rand_chacha", "0.3, of fred"),
    ("rand_core", "0.6, of fred"),
    ("socket2", "0.5, of fred"),
    ("syn", "2, of the derives behind url and tokio"),
];

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let cargo = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {arguments:?} failed: {errors}");
        String::from_utf8(output.stdout).expect("text")
    };
    let version = cargo("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments =
        ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform", host];
    serde_json::from_str(&cargo(&program, &arguments)).expect("JSON")
});

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn packages() -> &'static [Value] {
    list(&METADATA["packages"])
}

/// Names of what a workspace member needs to be built, with everything below, without development dependencies.
fn tree(member: &str) -> BTreeSet<&'static str> {
    let by_id = packages().iter().map(|package| (text(&package["id"]), text(&package["name"])));
    let names: BTreeMap<_, _> = by_id.collect();
    let needs: BTreeMap<_, _> = list(&METADATA["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let normal = list(&node["deps"]).iter().filter(|dependency| {
                list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev")
            });
            (text(&node["id"]), normal.map(|dependency| text(&dependency["pkg"])).collect())
        })
        .collect::<BTreeMap<_, Vec<_>>>();
    let root = names.iter().find_map(|(id, name)| (*name == member).then_some(*id));
    let mut open = vec![root.expect("a member of the workspace")];
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if found.insert(names[id]) {
            open.extend(&needs[id]);
        }
    }
    found
}

/// Tells whether an SPDX expression of `AND`, `OR` (or `/`) and one level of brackets can be met.
fn is_accepted(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ").replace(['(', ')'], "");
    licence.split(" AND ").all(|all| all.split(" OR ").any(|one| ACCEPTED.contains(&one.trim())))
}

#[test]
fn every_licence_is_accepted() {
    let refused = packages()
        .iter()
        .filter(|package| !is_accepted(text(&package["license"])))
        .map(|package| format!("{} is {}", package["name"], package["license"]))
        .collect::<Vec<_>>();
    assert!(packages().len() > 50, "the tree was not read");
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn a_licence_that_asks_for_more_is_refused() {
    assert!(is_accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(is_accepted("MIT/Apache-2.0"));
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "SSPL-1.0 OR AGPL-3.0"] {
        assert!(!is_accepted(refused), "{refused}");
    }
}

#[test]
fn every_duplicate_is_known() {
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for package in packages() {
        versions.entry(text(&package["name"])).or_default().insert(text(&package["version"]));
    }
    let several = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let several = several.map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(several, DUPLICATES.map(|(name, _)| name));
}

#[test]
fn every_dependency_comes_from_the_registry() {
    for package in packages() {
        let source = &package["source"];
        let is_ours = text(&package["name"]).starts_with("retry-");
        assert!(
            if is_ours { source.is_null() } else { text(source).starts_with("registry+") },
            "{} comes from {source}",
            package["name"]
        );
    }
}

#[test]
fn the_macro_needs_nothing_but_the_parsing_crates() {
    let tree = tree("retry-macros");
    assert_eq!(
        tree.into_iter().collect::<Vec<_>>(),
        ["proc-macro2", "quote", "retry-macros", "syn", "unicode-ident"]
    );
}

/// What the runtime declares: everything else comes through these.
#[test]
fn the_runtime_declares_what_it_promises() {
    let runtime = packages().iter().find(|package| package["name"] == "retry-runtime");
    let declared = list(&runtime.expect("the runtime")["dependencies"])
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| (text(&dependency["name"]), dependency["optional"] == true))
        .collect::<BTreeMap<_, _>>();
    let expected = [
        ("fastrand", false),
        ("fred", true),
        ("metrics", true),
        ("pin-project-lite", false),
        ("retry-macros", true),
        ("tokio", false),
        ("tokio-util", true),
        ("tracing", true),
    ];
    assert_eq!(declared, BTreeMap::from(expected));
}
