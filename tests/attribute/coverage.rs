//! What a coverage tool counts in the body of an annotated function: as much as in a plain one.

use std::{env, fs, path::PathBuf, process::Command, time::SystemTime};

const PROGRAM: &str = r#"
    use retry_runtime::retryable;

    #[retryable(policy = constant(delay = "0s"), on = |_| true)]
    pub async fn annotated(limit: u32) -> std::io::Result<u32> BODY

    #[retryable(blocking, policy = constant(delay = "0s"), on = |_| true)]
    pub fn blocking(limit: u32) -> std::io::Result<u32> BODY

    pub fn plain(limit: u32) -> std::io::Result<u32> BODY

    fn main() {
        let _ = (annotated(1), blocking(1), plain(1));
    }
"#;

const BODY: &str = r#"{
    if limit == 0 {
        return Err(std::io::Error::other("none"));
    }
    let mut sum = 0;
    for value in 0..limit {
        sum += value;
    }
    Ok(sum)
}"#;

/// Compiles the program as `cargo llvm-cov` would, and returns what LLVM is given.
fn instrumented() -> String {
    let here = env::current_exe().unwrap();
    let dependencies = here.parent().unwrap();
    let source = env::temp_dir().join(format!("retryable-coverage-{}.rs", std::process::id()));
    let output = source.with_extension("ll");
    fs::write(&source, PROGRAM.replace("BODY", BODY)).unwrap();
    let compiled = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition=2024", "-Cinstrument-coverage", "--emit=llvm-ir", "--extern"])
        .arg(format!("retry_runtime={}", newest_runtime(&dependencies.into()).display()))
        .arg(format!("-Ldependency={}", dependencies.display()))
        .arg("-o")
        .args([&output, &source])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let text = fs::read_to_string(&output).unwrap();
    let _ = (fs::remove_file(source), fs::remove_file(output));
    text
}

/// Returns the library that this test was linked with, or one of the same source with other features.
fn newest_runtime(dependencies: &PathBuf) -> PathBuf {
    let is_runtime = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("libretry_runtime-") && name.ends_with(".rlib")
    };
    let built = |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    fs::read_dir(dependencies)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_runtime)
        .max_by_key(|path| built(path).unwrap_or(SystemTime::UNIX_EPOCH))
        .unwrap()
}

/// Returns how many counters a function has, by the end of its mangled name.
fn counters(text: &str, function: &str) -> Option<u32> {
    let line =
        text.lines().find(|line| line.starts_with("@__profc__R") && line.contains(function))?;
    line.split_once('[')?.1.split_once(" x i64]")?.0.parse().ok()
}

#[test]
fn bodies_are_counted_as_those_of_plain_functions() {
    let text = instrumented();
    let plain = counters(&text, "5plain");
    assert!(plain > Some(2), "{plain:?}");
    // The body is a block in the block of the `async fn`, or a closure in the function.
    assert_eq!(counters(&text, "9annotated00"), plain);
    assert_eq!(counters(&text, "8blocking0"), plain);
}
