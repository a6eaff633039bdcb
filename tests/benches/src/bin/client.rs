//! Measures the client that retries every command against fred as it is.

use fred::interfaces::ClientLike;
use retry_benches::{
    client::{Bare, Load, build, faults, retrying, rounds::compare},
    redis_server::RedisServer,
    report::{Report, Table},
};
use tokio::runtime::{Builder, Runtime};

const TASKS: [usize; 3] = [1, 16, 256];

fn main() {
    let mut report = Report::new("client", "RetryClient against fred");
    report.note("Both send on the same connection, turn by turn, in 40 rounds each; the ratio is the median of the ratios of the rounds.");
    report.note("fred has the options of a single attempt with a timeout on every command and pipeline, as the client that retries has.");
    for (name, runtime) in runtimes() {
        runtime.block_on(throughput(&mut report, name));
    }
    let (_, runtime) = runtimes().swap_remove(1);
    runtime.block_on(under_faults(&mut report));
    report.finish();
}

fn runtimes() -> Vec<(&'static str, Runtime)> {
    let single = Builder::new_current_thread().enable_all().build();
    let multi = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let made = "the system has room for two threads";
    vec![("current_thread", single.expect(made)), ("multi_thread(2)", multi.expect(made))]
}

async fn throughput(report: &mut Report, runtime: &str) {
    let server = RedisServer::start(&[]);
    let client = build(server.port()).expect("the settings are right");
    let wrapped = retrying(client.clone());
    wrapped.init().await.expect("the server is up");
    let bare = Bare::new(client);
    let columns = [
        "tasks, load",
        "fred/s",
        "ours/s",
        "ratio",
        "fred p50 us",
        "ours p50 us",
        "fred p99 us",
        "ours p99 us",
    ];
    let mut table = Table::new(format!("No faults, {runtime}"), &columns);
    for tasks in TASKS {
        for load in Load::ALL {
            let mut compared = compare(load, tasks, &bare, &wrapped).await;
            let latencies = [50, 99].map(|percent| {
                [compared.first.percentile(percent), compared.second.percentile(percent)]
            });
            let cells = [compared.first.per_second(), compared.second.per_second()]
                .map(|rate| format!("{rate:.0}"));
            table.row(
                [format!("{tasks}, {}", load.name())]
                    .into_iter()
                    .chain(cells)
                    .chain([format!("{:.3}", compared.ratio)])
                    .chain(latencies.as_flattened().iter().map(|latency| format!("{latency:.0}"))),
            );
            let claim = format!(
                "0.97 of fred at {tasks} tasks, {}, {runtime}: fred over ours",
                load.name()
            );
            report.bar(claim, 1.0 / compared.ratio, 1.0 / 0.97);
        }
    }
    report.table(table);
    wrapped.quit().await.expect("the server is up");
}

async fn under_faults(report: &mut Report) {
    let columns = ["GET, 16 tasks", "successes/s", "errors to callers", "longest wait ms"];
    let mut table = Table::new("The server is killed every 2 s, and back 200 ms later", &columns);
    let mut server = RedisServer::start(&[]);
    for contender in ["fred alone, connects and sends again", "hand-written loop", "RetryClient"] {
        let client = build(server.port()).expect("the settings are right");
        let wrapped = faults::retrying(client.clone());
        wrapped.init().await.expect("the server is up");
        let goodput = match contender {
            "RetryClient" => faults::watch(&mut server, wrapped.clone()).await,
            "hand-written loop" => faults::watch(&mut server, faults::Loop(client.clone())).await,
            _ => faults::watch(&mut server, faults::Alone(client.clone())).await,
        };
        let cells = [
            format!("{:.0}", goodput.successes),
            goodput.errors.to_string(),
            format!("{:.0}", goodput.longest),
        ];
        table.row([contender.to_owned()].into_iter().chain(cells));
        let _ = client.quit().await;
    }
    report.table(table);
}
