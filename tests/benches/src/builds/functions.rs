//! A crate of a thousand functions, written in several ways.

use std::fmt::Write;

/// How many functions there are.
pub const COUNT: usize = 1000;

/// A way to write the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Nothing is retried.
    Plain,
    /// A loop in each function.
    HandWritten,
    /// `#[retryable]` on each function.
    Retryable,
    /// `#[tracing::instrument]` on each function.
    Instrument,
    /// `#[async_trait]` on an implementation with each function.
    AsyncTrait,
}

impl Style {
    /// Every way.
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::HandWritten, Self::Retryable, Self::Instrument, Self::AsyncTrait];

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain async functions",
            Self::HandWritten => "hand-written loops",
            Self::Retryable => "#[retryable]",
            Self::Instrument => "#[tracing::instrument]",
            Self::AsyncTrait => "#[async_trait]",
        }
    }

    /// The lines of the manifest.
    pub fn dependencies(self) -> String {
        let own = super::project::runtime_dependency("");
        format!(
            "{own}\ntokio = {{ version = \"1.48\", features = [\"rt\", \"time\"] }}\n\
             tracing = \"0.1\"\nasync-trait = \"0.1\"\n"
        )
    }

    /// The functions, and a table of them.
    pub fn lib(self) -> String {
        let mut text = String::from(PRELUDE);
        if self == Self::AsyncTrait {
            text.push_str(TRAIT);
        }
        for number in 0..COUNT {
            text.push_str(&self.function(number));
        }
        text.push_str("pub static ALL: &[Erased] = &[\n");
        for number in 0..COUNT {
            let call = match self {
                Self::AsyncTrait => format!("S{number}.run(source)"),
                _ => format!("Box::pin(f{number}(source))"),
            };
            let _ = writeln!(text, "    |source| {call},");
        }
        text.push_str("];\n");
        text
    }

    /// A program that calls every function.
    pub fn main() -> &'static str {
        MAIN
    }

    fn function(self, number: usize) -> String {
        let body = body(number);
        let plain =
            format!("pub async fn f{number}(source: &Source) -> Result<u64, Failed> {body}\n");
        match self {
            Self::Plain => plain,
            Self::HandWritten => hand_written(number, &body),
            Self::Retryable => {
                format!(
                    "#[retry_runtime::retryable(policy = constant(delay = \"1s\", retries = 2))]\n{plain}"
                )
            }
            Self::Instrument => format!("#[tracing::instrument(skip_all)]\n{plain}"),
            Self::AsyncTrait => format!(
                "pub struct S{number};\n#[async_trait::async_trait]\nimpl Run for S{number} {{\n\
                 async fn run(&self, source: &Source) -> Result<u64, Failed> {body}\n}}\n"
            ),
        }
    }
}

fn body(number: usize) -> String {
    format!(
        "{{\n    let first = source.get({number}).await?;\n    if first > 1_000_000 {{\n        \
         return Err(Failed::Transient);\n    }}\n    Ok(first + source.get(first).await?)\n}}"
    )
}

/// As `#[retryable]` does it: the body is a block of its own, so that `?` ends the attempt.
fn hand_written(number: usize, body: &str) -> String {
    format!(
        "pub async fn f{number}(source: &Source) -> Result<u64, Failed> {{\n    let mut retries = 0;\n    loop {{\n        \
         let attempt: Result<u64, Failed> = async {body}.await;\n        match attempt {{\n            \
         Err(Failed::Transient) if retries < 2 => retries += 1,\n            outcome => return outcome,\n        }}\n        \
         tokio::time::sleep(std::time::Duration::from_secs(1)).await;\n    }}\n}}\n"
    )
}

const PRELUDE: &str = "\
use std::{future::Future, pin::Pin};

pub struct Source;

impl Source {
    pub async fn get(&self, key: u64) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        if key % 7 == 8 { Err(Failed::Lasting) } else { Ok(key) }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Failed {
    Transient,
    Lasting,
}

impl retry_runtime::Classify for Failed {
    fn disposition(&self) -> retry_runtime::Disposition {
        match self {
            Self::Transient => retry_runtime::Disposition::NotExecuted,
            Self::Lasting => retry_runtime::Disposition::Permanent,
        }
    }
}

pub type Erased = for<'a> fn(&'a Source) -> Pin<Box<dyn Future<Output = Result<u64, Failed>> + Send + 'a>>;

";

const TRAIT: &str = "\
#[async_trait::async_trait]
pub trait Run {
    async fn run(&self, source: &Source) -> Result<u64, Failed>;
}

";

const MAIN: &str = "\
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let sum: u64 = runtime.block_on(async {
        let mut sum = 0;
        for function in measured::ALL {
            sum += function(&measured::Source).await.unwrap();
        }
        sum
    });
    println!(\"{sum}\");
}
";
