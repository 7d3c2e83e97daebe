//! The one address in front of the servers: a load balancer in small, where nginx or HAProxy stands otherwise.
//!
//! It is **sticky**: what belongs to one connection goes to one server, since only that one knows its session. Long-polling
//! makes many requests, and the change to WebSocket is one more. Load balancers are sticky by a cookie mostly, which all
//! windows of a browser share; here they shall be on different servers. So each page is sent to an address with
//! `server=1` or `server=2` in it, and says so with every request of its connection.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use hyper::{client::conn::http1, upgrade};
use hyper_util::rt::TokioIo;
use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{io::copy_bidirectional, net::TcpStream};

pub(super) struct Proxy {
    servers: Vec<SocketAddr>,
    pages: AtomicUsize,
    others: AtomicUsize,
}

impl Proxy {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            pages: AtomicUsize::new(0),
            others: AtomicUsize::new(0),
        }
    }

    pub(super) fn routes(self) -> Router {
        Router::new().fallback(answer).with_state(Arc::new(self))
    }

    /// The number of the server that comes next, from one on.
    fn next(&self, turn: &AtomicUsize) -> usize {
        turn.fetch_add(1, Ordering::Relaxed) % self.servers.len() + 1
    }

    /// The server that a request names.
    fn named(&self, uri: &Uri) -> Option<SocketAddr> {
        let mut pairs = uri.query()?.split('&');
        let number: usize = pairs
            .find_map(|pair| pair.strip_prefix("server="))?
            .parse()
            .ok()?;
        self.servers.get(number.checked_sub(1)?).copied()
    }
}

async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let uri = request.uri();
    let server = match proxy.named(uri) {
        Some(server) => server,
        None if uri.path() == "/" => {
            let number = proxy.next(&proxy.pages);
            let query = uri
                .query()
                .map(|query| format!("{query}&"))
                .unwrap_or_default();
            return Redirect::temporary(&format!("/?{query}server={number}")).into_response();
        }
        // REST: whichever server makes a change, the windows of both hear of it.
        None => proxy.servers[proxy.next(&proxy.others) - 1],
    };
    forward(server, request).await.unwrap_or_else(|error| {
        tracing::warn!(%server, error, "a server does not answer");
        StatusCode::BAD_GATEWAY.into_response()
    })
}

/// Asks a server, and stays in between if it changes to WebSocket.
async fn forward(server: SocketAddr, mut request: Request) -> Result<Response, Box<dyn Error>> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());

    let client = upgrade::on(&mut request);
    let mut response = sender.send_request(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let server = upgrade::on(&mut response);
        tokio::spawn(async move {
            // Either may be gone by now, or go later. Then the other is closed, too.
            if let (Ok(client), Ok(server)) = tokio::join!(client, server) {
                let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
                copy_bidirectional(&mut client, &mut server).await.ok();
            }
        });
    }
    Ok(response.map(Body::new))
}
