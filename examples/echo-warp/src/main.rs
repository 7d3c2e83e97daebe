//! Typed events on warp. Run with `cargo run -p echo-warp`.

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rooms_layer::{Error, Handle, prelude::*};
use serde::{Deserialize, Serialize};
use std::{env, io};
use tokio::net::TcpListener;
use tower::Layer;
use warp::{Filter, Rejection, Reply, http::StatusCode};

#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt::init();
    serve(listen().await?).await
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    let app = rooms().layer(warp::service(app()));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // Without the upgrades no WebSocket can be had.
            let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection failed");
            }
        });
    }
}

fn app() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    warp::path!("topics" / String)
        .and(warp::post())
        .and(warp::ext::get())
        .and(warp::body::bytes())
        .map(publish)
}

/// An ordinary HTTP handler: what is posted to a topic goes to those who follow it.
fn publish(topic: String, handle: Handle, body: Bytes) -> StatusCode {
    let io = handle.io::<App>().expect("this server serves `App`");
    let Ok(text) = str::from_utf8(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let topic = &*topic;
    match io.to(Room::topic(topic)).emit(News { topic, text }) {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
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
