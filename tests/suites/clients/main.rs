//! Foreign clients against the fixture app, on each framework: `tests/clients/FIXTURE.md`.

mod clients;
mod framework;
mod proxy;
mod run;
mod server;
mod table;

use clients::CLIENTS;
use framework::Framework;
use futures_util::{StreamExt, stream};
use rooms_tests::node;
use server::Server;
use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Instant,
};
use table::Table;
use tokio::task::spawn_blocking;

/// How many clients run at the same time, each with a server of its own: more than cores, since most of them wait most of the time.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn javascript_on_axum() {
    check_javascript(Framework::Axum).await;
}

#[tokio::test]
async fn javascript_on_hyper() {
    check_javascript(Framework::Hyper).await;
}

#[tokio::test]
async fn javascript_on_warp() {
    check_javascript(Framework::Warp).await;
}

/// Runs the long suite of the official client, which goes deeper than the table and covers no other client.
async fn check_javascript(framework: Framework) {
    let server = Server::start(framework, false).await.expect("it starts");
    let url = server.url();
    let suite = spawn_blocking(move || node::run_suite("clients/js", &url));
    suite.await.expect("the suite passes");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_on_every_framework() {
    let begun = Instant::now();
    spawn_blocking(clients::build_rust)
        .await
        .expect("the Rust client builds");
    let pairs = CLIENTS
        .iter()
        .flat_map(|client| Framework::ALL.map(|framework| (client, framework)));
    let runs = stream::iter(pairs)
        .map(|(client, framework)| run::run(client, framework))
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;

    let table = Table::new(CLIENTS, &runs);
    let faults = [table.faults(), unsaid_in_guide(&table)].concat();
    // Not `println!`, of which the harness shows nothing while all is well. The table is a result too.
    let took = begun.elapsed().as_secs();
    writeln!(io::stdout(), "\n{table}in {took} s").expect("stdout is open");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What the guide's chapter on clients leaves out of the table: clients, their versions, and what they lack.
fn unsaid_in_guide(table: &Table) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/clients.md");
    let text = fs::read_to_string(&guide).expect("the guide has a chapter on clients");
    // Its lines may be broken anywhere, and what is said may begin a sentence.
    let plain = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let text = plain(&text);
    let named = table
        .versions()
        .map(|(client, version)| format!("| {client} | {version} |"));
    let lacking = CLIENTS
        .iter()
        .flat_map(|client| client.lacks)
        .map(|lack| lack.why.to_owned());
    named
        .chain(lacking)
        .filter(|expected| !text.contains(&plain(expected)))
        .map(|expected| format!("docs/guide/clients.md does not say {expected:?}"))
        .collect()
}
