//! Our server under test, on axum, or on hyper alone with or without TLS.
//!
//! `rooms --port 3000 [--front axum] [--parser json] [--recovery] [--workers 1]`

use axum::Router;
use clap::{Parser, ValueEnum};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rooms_bench::served::rooms;
use rooms_layer::{Bytes, Parsers, RecoveryConfig, RoomsLayer};
use std::{convert::Infallible, io, net::Ipv4Addr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};
use tower::{Layer, service_fn};

#[derive(Parser)]
struct Cli {
    /// Port of 127.0.0.1 to listen on.
    #[arg(long)]
    port: u16,
    /// What the layer is put around.
    #[arg(long, value_enum, default_value_t = Front::Axum)]
    front: Front,
    /// What clients speak.
    #[arg(long, value_enum, default_value_t = Spoken::Json)]
    parser: Spoken,
    /// Give clients that come back what they have missed.
    #[arg(long)]
    recovery: bool,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Front {
    /// axum.
    Axum,
    /// hyper and a loop that accepts.
    Hyper,
    /// The same with tokio-rustls in front, and a certificate that nobody has signed.
    Tls,
}

#[derive(Clone, Copy, ValueEnum)]
enum Spoken {
    Json,
    Msgpack,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cli.workers)
        .enable_all()
        .build()?;
    // In a task, since `block_on` would run the server outside the workers.
    runtime.block_on(async { tokio::spawn(serve(cli)).await.map_err(io::Error::other)? })
}

async fn serve(cli: Cli) -> io::Result<()> {
    let mut rooms = rooms(match cli.parser {
        Spoken::Json => Parsers::Json,
        Spoken::Msgpack => Parsers::Msgpack,
    });
    if cli.recovery {
        rooms = rooms.recovery(RecoveryConfig::default());
    }
    let listener = listen(cli.port)?;
    match cli.front {
        Front::Axum => {
            // TCP_NODELAY is the layer's to set, once a stream is its own.
            axum::serve(listener, Router::new().layer(rooms)).await
        }
        Front::Hyper => accept(listener, rooms, None).await,
        Front::Tls => accept(listener, rooms, Some(tls().map_err(io::Error::other)?)).await,
    }
}

/// With a queue that holds an avalanche better than the default of 128 does: who finds it full tries again after a second.
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(4096)
}

async fn accept(
    listener: TcpListener,
    rooms: RoomsLayer,
    tls: Option<TlsAcceptor>,
) -> io::Result<()> {
    let service = rooms.layer(service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    loop {
        // Out of descriptors, perhaps: others are let go meanwhile.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(service.clone());
        match tls.clone() {
            None => {
                tokio::spawn(connection(stream, service));
            }
            Some(tls) => {
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        tokio::spawn(connection(stream, service));
                    }
                });
            }
        }
    }
}

async fn connection<S, I>(stream: I, service: S)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::HttpService<
            Incoming,
            Error: Into<Box<dyn std::error::Error + Send + Sync>>,
            ResBody: Send,
        >,
    S::ResBody: 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // A client that breaks HTTP is not measured.
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
        .ok();
}

fn tls() -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
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
