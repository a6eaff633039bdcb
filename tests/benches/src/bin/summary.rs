//! Shows the results that are kept: a picture and a table in their overview, a sentence in the README.

use std::process::ExitCode;

use retry_benches::{
    report::read,
    summary::{chart, table},
};

fn main() -> ExitCode {
    let drawn = read("instructions").map(|kept| chart::draw(&kept));
    match drawn.and_then(|()| table::write()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
