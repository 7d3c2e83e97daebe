//! What axum, hyper and tokio take of a connection: a server that upgrades it, and answers by hand what the load generator asks.
//!
//! `upgrade --port 3000`. It has no room, no ids, no heartbeats and no limits: what our server takes beyond it is our own.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode, header},
    serve::ListenerExt,
};
use clap::Parser;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade::downcast};
use rooms_bench::by_hand::{CLOSE, Command, OPEN, TEXT, accept_key, client_frame, frame};
use std::{io, net::Ipv4Addr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

#[derive(Parser)]
struct Cli {
    /// Port of 127.0.0.1 to listen on.
    #[arg(long)]
    port: u16,
}

/// Longer than what the load generator says before it reads.
const BUFFER: usize = 2 * 1024;

fn main() -> io::Result<()> {
    let Cli { port } = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    // In a task, since `block_on` would run the server outside the worker.
    runtime.block_on(async { tokio::spawn(serve(port)).await.map_err(io::Error::other)? })
}

async fn serve(port: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    let listener = socket.listen(4096)?.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, Router::new().fallback(upgrade)).await
}

/// Takes every request for a handshake.
async fn upgrade(mut request: Request) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let key = key.and_then(|key| key.to_str().ok()).map(accept_key);
    let (Some(key), Some(upgrading)) = (key, request.extensions_mut().remove::<OnUpgrade>()) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    tokio::spawn(async move { client(upgrading.await.ok()?).await });
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(
        header::UPGRADE,
        header::HeaderValue::from_static("websocket"),
    );
    headers.insert(
        header::CONNECTION,
        header::HeaderValue::from_static("Upgrade"),
    );
    let key = header::HeaderValue::from_str(&key).expect("base64 is a header value");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    response
}

/// Answers until the client has gone, or says something that is too long.
async fn client(upgraded: Upgraded) -> Option<()> {
    let mut stream: TcpStream = downcast::<TokioIo<_>>(upgraded).ok()?.io.into_inner();
    let mut input = vec![0; BUFFER];
    let mut filled = 0;
    let mut output = Vec::new();
    frame(&mut output, TEXT, OPEN.as_bytes());
    loop {
        stream.write_all(&output).await.ok()?;
        output.clear();
        match stream.read(&mut input[filled..]).await.ok()? {
            0 => return None,
            read => filled += read,
        }
        let mut taken = 0;
        while let Some(found) = client_frame(&mut input[taken..filled]).ok()? {
            let payload = &input[taken..][found.payload];
            taken += found.len;
            match found.opcode {
                TEXT => match Command::read(str::from_utf8(payload).ok()?) {
                    Command::Reply(text) | Command::Join(text) => {
                        frame(&mut output, TEXT, text.as_bytes());
                    }
                    _ => {}
                },
                CLOSE => {
                    frame(&mut output, CLOSE, payload);
                    return stream.write_all(&output).await.ok();
                }
                _ => {}
            }
        }
        input.copy_within(taken..filled, 0);
        filled -= taken;
    }
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
