use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

/// A crate in a directory of its own, removed when dropped.
#[derive(Debug)]
pub struct Project {
    directory: PathBuf,
}

/// What a command of cargo took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds on the clock; on a shared machine they say little.
    pub elapsed: f64,
    /// Seconds of processor time, of cargo and all that it started.
    pub processor: f64,
}

/// How often everything is measured.
const REPEATS: usize = 3;

impl Project {
    /// Makes a crate with these dependencies, lines of its manifest, and this source.
    ///
    /// # Panics
    ///
    /// If the temporary directory cannot be written, or the dependencies cannot be downloaded.
    pub fn new(name: &str, dependencies: &str, lib: &str, main: Option<&str>) -> Self {
        let directory = env::temp_dir().join(format!("retry-builds-{}-{name}", process::id()));
        let project = Self { directory };
        let source = project.directory.join("src");
        fs::create_dir_all(&source).expect("the temporary directory can be written");
        let manifest = format!(
            "[package]\nname = \"measured\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.release]\nstrip = true\n\n[dependencies]\n{dependencies}\n"
        );
        let write = |path: PathBuf, text: &str| {
            fs::write(path, text).expect("the directory was just made");
        };
        write(project.directory.join("Cargo.toml"), &manifest);
        write(source.join("lib.rs"), lib);
        if let Some(main) = main {
            write(source.join("main.rs"), main);
        }
        project.cargo("fetch");
        project
    }

    /// Measures a build of everything, dependencies too.
    pub fn cold(&self, command: &str) -> Cost {
        median(|| {
            let _ = fs::remove_dir_all(self.target());
            self.cargo(command)
        })
    }

    /// Measures a build of the crate alone.
    pub fn warm(&self, command: &str) -> Cost {
        self.cargo(command);
        median(|| {
            // Newer than its output, so that it is compiled again.
            let lib = self.directory.join("src/lib.rs");
            let text = fs::read(&lib).expect("it was written when the project was made");
            fs::write(&lib, text).expect("as before");
            self.cargo(command)
        })
    }

    /// Builds for release and returns the size of the program.
    pub fn program_size(&self) -> u64 {
        self.cargo("build --release");
        let program = self.target().join("release/measured");
        fs::metadata(program).expect("it was just built").len()
    }

    fn target(&self) -> PathBuf {
        self.directory.join("target")
    }

    fn cargo(&self, command: &str) -> Cost {
        // The shell adds up what all descendants took.
        let script = format!("TIMEFORMAT='%R %U %S'; time cargo {command} --quiet 2>&3");
        let output = Command::new("bash")
            .args(["-c", &format!("{{ {script}; }} 3>&1")])
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_BUILD_JOBS", "2")
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .expect("bash is on PATH");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let seconds: Vec<f64> = String::from_utf8_lossy(&output.stderr)
            .split_whitespace()
            .filter_map(|second| second.parse().ok())
            .collect();
        let [elapsed, user, system] = seconds[..] else {
            panic!("bash tells three times: {seconds:?}")
        };
        // Said while it goes on, because it takes minutes.
        eprintln!("cargo {command}: {elapsed:.1} s, {:.1} s of processor time", user + system);
        Cost { elapsed, processor: user + system }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Returns the repetition that took the median of processor time.
fn median(mut measure: impl FnMut() -> Cost) -> Cost {
    let mut costs: Vec<_> = (0..REPEATS).map(|_| measure()).collect();
    costs.sort_by(|left, right| left.processor.total_cmp(&right.processor));
    costs[REPEATS / 2]
}

/// Returns the dependency on the runtime of this checkout.
pub fn runtime_dependency(features: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../retry-runtime");
    format!("retry-runtime = {{ path = {path:?}, features = [{features}] }}")
}
