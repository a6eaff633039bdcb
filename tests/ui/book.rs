//! The pages in `retry-runtime/docs`, the README and the other texts: what they quote and link to is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../retry-runtime/docs");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Returns a message without what differs: code marks, and what the page leaves out as `…`.
fn pieces(message: &str) -> Vec<String> {
    let plain = message.replace('`', "");
    let pieces = plain.split('…').map(|piece| piece.trim().to_owned());
    pieces.filter(|piece| piece.len() > 3).collect()
}

#[test]
fn the_compile_errors_of_the_book_are_those_that_the_compiler_prints() {
    let printed = files(concat!(env!("CARGO_MANIFEST_DIR"), "/ui/fail"), "stderr");
    let printed = printed.iter().map(|path| read(path).replace('`', "")).collect::<Vec<_>>();
    let page = read(format!("{PAGES}/compile-errors.md"));
    // What follows is said by rustc alone.
    let (ours, _) = page.split_once("## About borrows").expect("the section on rustc's words");
    let rows = ours.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| message"));
    let rows = rows.filter(|line| !line.starts_with("| ---"));
    let rows = rows.map(|row| row.split('|').nth(1).expect("a cell").trim());
    let titles = ours.lines().filter_map(|line| line.strip_prefix("### "));
    let mut checked = 0;
    for message in rows.chain(titles) {
        let pieces = pieces(message);
        let is_printed = |text: &String| pieces.iter().all(|piece| text.contains(piece));
        assert!(printed.iter().any(is_printed), "no message says: {message}");
        checked += 1;
    }
    assert!(checked > 20, "only {checked} messages found");
}

/// Returns where the links of a text lead.
fn links(text: &str) -> Vec<&str> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let references = text.lines().filter(|line| line.starts_with('['));
    let references = references.filter_map(|line| line.split_once("]: ").map(|(_, target)| target));
    inline.chain(references).collect()
}

#[test]
fn the_texts_link_to_what_is_there() {
    let mut texts = files(PAGES, "md");
    texts.extend(files(ROOT, "md"));
    let mut checked = 0;
    for text in &texts {
        let content = read(text);
        let folder = text.parent().expect("a folder");
        for link in links(&content) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !link.contains("://") {
                assert!(folder.join(target).exists(), "{}: {link}", text.display());
                checked += 1;
            }
        }
        // Programs and tests that are named without a link.
        for named in content.split('`').filter(|word| !word.contains(char::is_whitespace)) {
            let is_path = named.starts_with("examples/") || named.starts_with("tests/");
            if is_path {
                assert!(Path::new(ROOT).join(named).exists(), "{}: {named}", text.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} links found");
}

/// GitHub shows such a line as it is.
#[test]
fn the_code_of_the_book_hides_no_line() {
    for page in files(PAGES, "md").into_iter().chain([Path::new(ROOT).join("README.md")]) {
        let mut is_rust = false;
        for line in read(&page).lines() {
            if let Some(language) = line.strip_prefix("```") {
                is_rust = !is_rust && language.starts_with("rust");
            }
            let is_hidden = is_rust && (line == "#" || line.starts_with("# "));
            assert!(!is_hidden, "{}: {line}", page.display());
        }
    }
}
