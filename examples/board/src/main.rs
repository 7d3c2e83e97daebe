//! Run with `cargo run -p board`, then open the address that it prints in two windows.
//!
//! `cargo run -p board -- cluster` does the same on two servers, which Debian's `redis-server` joins;
//! `cargo run -p board -- export` writes the contract that the page imports.

use board::{cluster::Cluster, contract, page};
use std::{env, error::Error, fs, io};
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

    // Rather than be ended by a signal, so that what was started ends as well, however far that has come.
    let mut asked_to_end = AskedToEnd::listen()?;
    tokio::select! {
        served = serve(arguments) => served,
        () = asked_to_end.wait() => Ok(()),
    }
}

async fn serve(arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut arguments = arguments.peekable();
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
    axum::serve(listener, app).await?;
    Ok(())
}

/// Ctrl-C in a terminal, and `kill`.
#[cfg(unix)]
struct AskedToEnd(signal::unix::Signal, signal::unix::Signal);

#[cfg(unix)]
impl AskedToEnd {
    fn listen() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self(signal(interrupt)?, signal(terminate)?))
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct AskedToEnd;

#[cfg(not(unix))]
impl AskedToEnd {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        if signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
