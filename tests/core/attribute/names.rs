//! Items that are called like the variables of the expansion do not get in its way: in a pattern such a name would
//! mean the item. actix makes a unit struct of every handler, so `async fn stop` is a `struct stop` there.
#![allow(non_camel_case_types, non_upper_case_globals, dead_code, unused_imports)]

/// Makes a module of items of one kind, and annotated functions that use everything.
macro_rules! module {
    ($module:ident: $item:ident) => {
        mod $module {
            use std::{io, time::Duration};

            use retry_runtime::{Budget, retryable};

            $item!(call begun ended failed error outcome paused kept reason over retry stopped stop aborted pause seen last
                ready repaired value unreachable never policy policy_0 limit limit_0 output result hook attempt begin run
                rule private);

            #[retryable]
            pub(crate) async fn bare() -> io::Result<u32> {
                Ok(1)
            }

            #[retryable(policy = composite(constant(delay = "1s", retries = 2), exponential(), deadline = wait), on = |_| true,
                        on_ok = is_low, attempt = number, budget = shared, before = |_| (), on_failure = async |_| (),
                        on_give_up = |_| ())]
            pub(crate) async fn everything(wait: Duration, shared: &Budget) -> io::Result<u32> {
                Ok(number)
            }

            #[retryable(blocking, before = |_| (), on_failure = |_| (), on_give_up = |_| ())]
            pub(crate) fn blocks() -> io::Result<u32> {
                Ok(1)
            }

            fn is_low(number: &u32) -> bool {
                *number < 2
            }
        }
    };
}

macro_rules! units {
    ($($name:ident)*) => { $(pub struct $name;)* };
}
macro_rules! constants {
    ($($name:ident)*) => { $(pub const $name: u8 = 1;)* };
}
macro_rules! statics {
    ($($name:ident)*) => { $(pub static $name: u8 = 1;)* };
}
macro_rules! variants {
    ($($name:ident)*) => {
        pub enum Variants { $($name),* }
        use Variants::*;
    };
}

module!(unit_structs: units);
module!(named_constants: constants);
module!(named_statics: statics);
module!(unit_variants: variants);

#[tokio::test(start_paused = true)]
async fn no_item_is_taken_for_a_variable() {
    use std::time::Duration;

    let (wait, budget) = (Duration::from_secs(60), retry_runtime::Budget::new());
    assert_eq!(unit_structs::bare().await.unwrap(), 1);
    assert_eq!(unit_structs::everything(wait, &budget).await.unwrap(), 2);
    assert_eq!(named_constants::bare().await.unwrap(), 1);
    assert_eq!(named_constants::everything(wait, &budget).await.unwrap(), 2);
    assert_eq!(named_statics::bare().await.unwrap(), 1);
    assert_eq!(named_statics::everything(wait, &budget).await.unwrap(), 2);
    assert_eq!(unit_variants::bare().await.unwrap(), 1);
    assert_eq!(unit_variants::everything(wait, &budget).await.unwrap(), 2);
    assert_eq!(unit_structs::blocks().unwrap() + unit_variants::blocks().unwrap(), 2);
    assert_eq!(named_constants::blocks().unwrap() + named_statics::blocks().unwrap(), 2);
}
