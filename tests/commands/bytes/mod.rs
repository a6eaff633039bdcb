//! Commands that no server here can execute, and those that are sent by their words: the bytes are those of fred.

mod modules;
mod sentinel;

use std::collections::BTreeSet;

use fred::{
    bytes_utils::Str,
    prelude::*,
    types::{RespVersion, scripts::ScriptDebugFlag},
};
use retry_runtime::{Never, fred::COMMANDS};
use retry_tests::Bench;

async fn bench() -> Bench {
    let bench = Bench::builder().await;
    let bench = bench.settings(|client| {
        client.with_config(|config| config.version = RespVersion::RESP3);
    });
    bench.wrap_connected(Never).await
}

/// Sends each command by fred and by the client around it, and compares; returns the names of the methods.
macro_rules! compare {
    ($bench:ident, $fred:ident, $wrapped:ident; $($method:ident($($argument:expr),*) $(-> $answer:ty)?;)*) => {{
        let mut names = std::collections::BTreeSet::new();
        $bench.proxy.take_recorded();
        $(
            let _: FredResult<compare!(@answer $($answer)?)> = $fred.$method($($argument),*).await;
            let expected = $bench.proxy.take_recorded();
            let _: FredResult<compare!(@answer $($answer)?)> = $wrapped.$method($($argument),*).await;
            let sent = $bench.proxy.take_recorded();
            assert_eq!(expected.len(), 1, "fred sends {} once", stringify!($method));
            let [sent, expected] =
                [sent, expected].map(|bytes| String::from_utf8(bytes.concat()).expect("text"));
            assert_eq!(sent, expected, "{}", stringify!($method));
            names.insert(stringify!($method));
        )*
        names
    }};
    (@answer) => { Value };
    (@answer $answer:ty) => { $answer };
}

use compare;

/// The methods of an interface in the table.
fn table(interface: &str) -> BTreeSet<&'static str> {
    let lines = COMMANDS.iter().copied().flatten().filter(|line| line.interface == interface);
    lines.map(|line| line.method).collect()
}

#[tokio::test]
async fn scripts() {
    let bench = bench().await;
    let (fred, wrapped) = (bench.client.fred().clone(), bench.client.clone());
    let names = compare! { bench, fred, wrapped;
        eval("return ARGV[1]", vec!["k", "l"], vec!["a", "b"]);
        eval("return 1", (), ());
        script_load("return 1");
        evalsha("e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "k", "a");
        script_load_cluster("return 1");
        script_exists(vec!["0123", "4567"]);
        script_flush(true) -> ();
        script_flush_cluster(false) -> ();
        script_kill() -> ();
        script_kill_cluster() -> ();
        script_debug(ScriptDebugFlag::No) -> ();
    };
    assert_eq!(names, table("LuaInterface"));
}

#[tokio::test]
async fn tracking() {
    let bench = bench().await;
    let (fred, wrapped) = (bench.client.fred().clone(), bench.client.clone());
    let names = compare! { bench, fred, wrapped;
        start_tracking(vec!["a", "b"], true, false, false, true) -> ();
        stop_tracking() -> ();
        start_tracking(Vec::<Str>::new(), false, true, false, false) -> ();
    };
    assert_eq!(names, table("TrackingInterface"));
}
