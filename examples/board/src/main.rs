//! Run with `cargo run -p board`, then open the address that it prints in two windows.
//!
//! `cargo run -p board -- cluster` does the same on two servers, which Debian's `redis-server` joins;
//! `cargo run -p board -- export` writes the contract that the page imports.

use board::{cluster::Cluster, contract, page};
use std::{env, error::Error, fs};
use tokio::{net::TcpListener, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "export") {
        fs::write(page::CONTRACT, contract::typescript()?)?;
        return Ok(());
    }
    tracing_subscriber::fmt::init();
    page::build()?;

    let in_cluster = arguments.next_if(|first| first == "cluster").is_some();
    let port = arguments.next().or_else(|| env::var("PORT").ok());
    let port: u16 = port.map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let (_cluster, app) = match in_cluster {
        true => Cluster::start()
            .await
            .map(|(cluster, app)| (Some(cluster), app))?,
        false => (None, board::app()),
    };
    println!("the board is at http://{address}/?name=Ann&project=1");

    tokio::select! {
        served = axum::serve(listener, app) => served?,
        // Rather than be ended by it, so that what was started ends as well.
        interrupted = signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
