//! Shows the results that are kept in the README: a picture and a table.

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
