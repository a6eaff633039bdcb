//! What a coverage tool counts in the body of an annotated function: as much as in a plain one.

use super::compiler::compile;

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
    compile(&PROGRAM.replace("BODY", BODY), &["-Cinstrument-coverage", "--emit=llvm-ir"])
        .expect("a program that compiles")
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
