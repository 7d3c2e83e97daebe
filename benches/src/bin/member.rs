//! Our server as one of several that are joined, on axum.
//!
//! `member --port 3000 --adapter sharded --engine redis://127.0.0.1:6379 [--recovery]`

use axum::{Router, serve::ListenerExt};
use clap::{Parser, ValueEnum};
use rooms_bench::served;
use rooms_layer::{Adapter, InMemory, Parsers, RecoveryConfig, RoomsLayer, bounds::CanRecover};
use rooms_nats::{JetStream, Nats};
use rooms_redis::{Classic, Redis, Sharded, Streams};
use std::{error::Error, io, net::Ipv4Addr};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Cli {
    /// Port of 127.0.0.1 to listen on, once the adapter is connected.
    #[arg(long)]
    port: u16,
    /// What joins it to the others.
    #[arg(long, value_enum, default_value_t = Joined::Memory)]
    adapter: Joined,
    /// URL of Redis or NATS.
    #[arg(long, default_value = "")]
    engine: String,
    /// Give clients that come back what they have missed.
    #[arg(long)]
    recovery: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Joined {
    /// Nothing.
    Memory,
    Classic,
    Sharded,
    Streams,
    Nats,
    Jetstream,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    // In a task, since `block_on` would run the server outside the workers.
    runtime.block_on(async { tokio::spawn(run(cli)).await? })
}

async fn run(cli: Cli) -> Result<(), Box<dyn Error + Send + Sync>> {
    let redis = || Redis::standalone(&cli.engine);
    let app = match cli.adapter {
        Joined::Memory => recoverable(InMemory, cli.recovery),
        Joined::Classic => plain(Classic::connect(redis()?).await?),
        Joined::Sharded => plain(Sharded::connect(redis()?).await?),
        Joined::Streams => recoverable(Streams::connect(redis()?).await?, cli.recovery),
        Joined::Nats => plain(Nats::connect(cli.engine.as_str()).await?),
        Joined::Jetstream => {
            let adapter = JetStream::connect(cli.engine.as_str()).await?;
            recoverable(adapter, cli.recovery)
        }
    };
    Ok(serve(cli.port, app).await?)
}

fn plain<A: Adapter>(adapter: A) -> Router {
    Router::new().layer(served::on(RoomsLayer::with_adapter(adapter), Parsers::Json))
}

fn recoverable<A: Adapter + CanRecover>(adapter: A, recovery: bool) -> Router {
    if !recovery {
        return plain(adapter);
    }
    let rooms = RoomsLayer::with_adapter(adapter).recovery(RecoveryConfig::default());
    Router::new().layer(served::on(rooms, Parsers::Json))
}

async fn serve(port: u16, app: Router) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, app).await
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
