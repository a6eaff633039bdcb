//! The folders of the runtime import downwards, and nothing but `lib.rs` imports through the root.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// The folders and files of `retry-runtime/src` from the ground up: each imports only those before it in this list.
///
/// `overload` knows of failures, because a breaker is told of them; a failure knows neither budgets nor breakers, only
/// what its retry costs and that a breaker refused it. Backoffs know neither. `testing` is below `telemetry`, which
/// hands every call to a recording.
const FLOORS: [&str; 12] = [
    "config_error",
    "backoff",
    "failure",
    "overload",
    "policy",
    "testing",
    "telemetry",
    "clock",
    "call",
    "closure",
    "fred",
    "private",
];

/// A file, and what it imports against the order.
const EXCEPTIONS: [(&str, &str); 1] = [
    // The jitter that a policy cannot have is a field of the error; backoffs are what returns it.
    ("config_error", "backoff"),
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|name| *name == room)
}

#[test]
fn folders_import_downwards_and_not_through_the_root() {
    let source = env::var_os("RETRY_RUNTIME_SRC").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../retry-runtime/src"),
        PathBuf::from,
    );
    let (mut files, mut imports, mut wrong) = (0, 0, Vec::new());
    let mut excepted = BTreeSet::new();
    for file in files_in(&source) {
        let name = file.strip_prefix(&source).expect("inside").with_extension("");
        let mut module = name.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>();
        module.pop_if(|last| last == "mod");
        let room = module[0].as_ref();
        // The guide is text: its code is compiled by rustdoc.
        if matches!(room, "lib" | "guide") {
            continue;
        }
        files += 1;
        for import in imports_of(&fs::read_to_string(&file).expect("text"), module.len()) {
            imports += 1;
            let edge = (name.to_string_lossy(), import.as_str());
            if let Some(edge) = EXCEPTIONS.iter().find(|known| **known == (&*edge.0, edge.1)) {
                excepted.insert(edge);
                continue;
            }
            let problem = match (floor(room), floor(&import)) {
                _ if room == import => continue,
                (Some(from), Some(to)) if to < from => continue,
                (None, _) => format!("`{room}` is not in the table"),
                (_, None) => format!("imports `{import}` through the root"),
                _ => format!("imports `{import}`, which comes later in the order"),
            };
            wrong.push(format!("{}: {problem}", name.display()));
        }
    }
    assert!(files > 50 && imports > 200, "{imports} imports in {files} files");
    assert_eq!(excepted.len(), EXCEPTIONS.len(), "needed are only {excepted:?}");
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} wrong imports:\n{}", wrong.len(), wrong.join("\n"));
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let entries = entries.map(|entry| entry.expect("a file").path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// Returns the first names of all paths that begin at the root of the crate.
///
/// `depth` is that of the module: so often leads `super::` up to the root. Macros that are called by `crate::name!`
/// can be nowhere else.
fn imports_of(text: &str, depth: usize) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n").replace("$crate::", "");
    let roots = ["crate::".to_owned(), "super::".repeat(depth)];
    let mut imports = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(&root) {
            if code[..at].ends_with([':', '_']) {
                continue;
            }
            let rest = code[at + root.len()..].trim_start();
            match rest.strip_prefix('{') {
                Some(group) => imports.extend(members(group)),
                None if rest.starts_with("super") || rest.starts_with('*') => {}
                None => imports.extend(first_name(rest)),
            }
        }
    }
    imports
}

/// Returns the first names of the members of a group, behind its opening brace.
fn members(group: &str) -> Vec<String> {
    let mut depth = 0;
    let end = group.find(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth < 0
    });
    let mut depth = 0;
    let members = group[..end.expect("a closing brace")].split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    members.filter_map(|member| first_name(member.trim())).collect()
}

fn first_name(path: &str) -> Option<String> {
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let (name, rest) = path.split_at(end.unwrap_or(path.len()));
    (!name.is_empty() && !rest.starts_with('!')).then(|| name.to_owned())
}
