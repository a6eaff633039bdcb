//! Compiles programs that use the attribute, where a test needs more than whether they check.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

/// Compiles a program and returns the output as text.
///
/// # Errors
///
/// Returns what the compiler says if it refuses the program.
pub fn compile(program: &str, flags: &[&str]) -> Result<String, String> {
    static PROGRAMS: AtomicU32 = AtomicU32::new(0);
    let here = env::current_exe().unwrap();
    let dependencies = here.parent().unwrap();
    let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
    let source = env::temp_dir().join(format!("retryable-{}-{number}.rs", process::id()));
    let output = source.with_extension("out");
    fs::write(&source, program).unwrap();
    let compiled = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("--edition=2024")
        .args(flags)
        .arg("--extern")
        .arg(format!("retry_runtime={}", newest_runtime(dependencies).display()))
        .arg(format!("-Ldependency={}", dependencies.display()))
        .arg("-o")
        .args([&output, &source])
        .output()
        .unwrap();
    let text = fs::read(&output).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let _ = (fs::remove_file(source), fs::remove_file(output));
    if compiled.status.success() {
        Ok(text.unwrap())
    } else {
        Err(String::from_utf8_lossy(&compiled.stderr).into_owned())
    }
}

/// Returns the library that this test was linked with, or one of the same source with other features.
fn newest_runtime(dependencies: &Path) -> PathBuf {
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
