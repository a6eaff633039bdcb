//! Every message that we wrote, read as a user would; `TRYBUILD=overwrite` refreshes them.

#[test]
fn every_mistake_gets_one_error_that_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}
