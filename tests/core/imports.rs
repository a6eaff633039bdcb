//! The folders of the runtime import downwards, and nothing but `lib.rs` imports through the root.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folders and files of `retry-runtime/src` from the ground up: each imports only those above it in this list.
const FLOORS: [&str; 12] = [
    "config_error",
    "failure",
    "backoff",
    "overload",
    "policy",
    "telemetry",
    "testing",
    "clock",
    "call",
    "closure",
    "fred",
    "__private",
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
    for file in files_in(&source) {
        let name = file.strip_prefix(&source).expect("inside").with_extension("");
        let mut module = name.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>();
        module.pop_if(|last| last == "mod");
        let room = module[0].as_ref();
        if room == "lib" {
            continue;
        }
        files += 1;
        for import in imports_of(&fs::read_to_string(&file).expect("text"), module.len()) {
            imports += 1;
            let problem = match (floor(room), floor(&import)) {
                _ if room == import => continue,
                (Some(from), Some(to)) if to < from => continue,
                (None, _) => format!("`{room}` is not in the table"),
                (_, None) => format!("imports `{import}` through the root"),
                _ => format!("imports `{import}`, which is above"),
            };
            wrong.push(format!("{}: {problem}", name.display()));
        }
    }
    assert!(files > 50 && imports > 200, "{imports} imports in {files} files");
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
