//! Typed events on plain hyper. Run with `cargo run -p echo-hyper`.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rooms_layer::{Error, ResponseBody, prelude::*};
use serde::{Deserialize, Serialize};
use std::{env, io};
use tokio::net::TcpListener;
use tower::{BoxError, Layer, Service, service_fn};

#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt::init();
    serve(listen().await?).await
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    let app = app();
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades(); // Without it no WebSocket can be had.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection failed");
            }
        });
    }
}

fn app() -> impl Service<
    Request<Incoming>,
    Response = Response<ResponseBody<Full<Bytes>>>,
    Error = BoxError,
    Future: Send,
> + Clone {
    rooms().layer(service_fn(answer))
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
    let topic = request.uri().path().strip_prefix("/topics/");
    let status = match topic.map(str::to_owned) {
        Some(topic) if request.method() == Method::POST => publish(request, &topic).await?,
        _ => StatusCode::NOT_FOUND,
    };
    Ok(Response::builder().status(status).body(Full::default())?)
}

/// An ordinary HTTP handler: what is posted to a topic goes to those who follow it.
async fn publish(request: Request<Incoming>, topic: &str) -> Result<StatusCode, BoxError> {
    let io = Io::<App>::from_extensions(request.extensions())?;
    let body = request.into_body().collect().await?.to_bytes();
    let text = str::from_utf8(&body)?;
    io.to(Room::topic(topic)).emit(News { topic, text })?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room))]
#[namespace(client(Echo, Shout, Follow), server(Shout, News<'_>))]
struct App;

#[derive(Room)]
enum Room {
    /// Those who follow a topic.
    Topic(String),
}

/// Comes back as its own acknowledgement.
#[derive(Event, Deserialize)]
#[event(client, ack = String)]
struct Echo(String);

/// Goes to everybody.
#[derive(Event, Serialize, Deserialize)]
#[event(client, server, broadcast)]
struct Shout {
    text: String,
}

/// Asks for the news of a topic.
#[derive(Event, Deserialize)]
#[event(client, ack = bool)]
struct Follow(String);

/// News of a topic, for those who follow it and for nobody else: any other room does not compile.
#[derive(Event, Serialize, Deserialize)]
#[event(server, to(Room::Topic))]
struct News<'a> {
    topic: &'a str,
    text: &'a str,
}

#[handler(App)]
async fn echo(Echo(text): Echo) -> String {
    text
}

#[handler(App)]
async fn shout(io: Io<App>, message: Shout) -> Result<(), Error> {
    io.emit(message)?;
    Ok(())
}

#[handler(App)]
async fn follow(socket: Socket<App>, Follow(topic): Follow) -> bool {
    socket.join(Room::topic(topic));
    true
}

fn rooms() -> RoomsLayer {
    RoomsLayer::new().namespace(App::serve(()).on(echo).on(shout).on(follow))
}

/// Listens on `PORT`, or on 3000.
async fn listen() -> io::Result<TcpListener> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok());
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(3000))).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}
