//! The server of the dashboard: it adds data and state to the contract, and handlers to its events.

use axum::{
    Router,
    extract::{Path, State},
    routing::post,
};
use contract::{Changed, Dashboard, DashboardError, Draft, PanelId, Reload, Room, SignIn, Watch};
use rooms_layer::{Error, Served, prelude::*};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Namespace)]
#[namespace(contract = Dashboard, data = Session, state = Values)]
struct App;

struct Session {
    user: String,
}

#[derive(Clone, Default)]
struct Values(Arc<Mutex<HashMap<u32, f64>>>);

async fn authorize(handshake: Handshake<App>) -> Result<Session, Refuse> {
    let SignIn { name } = handshake.auth;
    match name.as_str() {
        "" => Err(Refuse::new("who are you?")),
        _ => Ok(Session { user: name }),
    }
}

async fn connected(socket: Socket<App>) {
    socket.join(Room::user(&socket.data().user));
}

#[handler(App)]
async fn watch(
    socket: Socket<App>,
    State(values): State<Values>,
    Watch(panel): Watch,
) -> Result<f64, DashboardError> {
    let values = values.0.lock().unwrap_or_else(PoisonError::into_inner);
    let value = values.get(&panel.0).ok_or(DashboardError::NoSuchPanel)?;
    socket.join(Room::panel(panel));
    Ok(*value)
}

#[handler(App)]
async fn draft(socket: Socket<App>, Draft { text }: Draft<'_>) -> Result<(), Error> {
    let user = Room::user(&socket.data().user);
    socket.to(user).emit(Draft { text })?;
    Ok(())
}

fn served(values: Values) -> Served<App> {
    App::serve(values)
        .authorize(authorize)
        .on_connect(connected)
        .on(watch)
        .on(draft)
        .build()
}

/// An HTTP handler with the handle of the server.
async fn change(
    io: Io<App>,
    State(values): State<Values>,
    Path((panel, value)): Path<(u32, f64)>,
) -> Result<(), Error> {
    let mut values = values.0.lock().unwrap_or_else(PoisonError::into_inner);
    values.insert(panel, value);
    let panel = PanelId(panel);
    io.publish(Changed { panel, value })?;
    Ok(())
}

/// An HTTP handler with a handle that only knows the contract.
async fn reload(io: Io<Dashboard>) -> Result<(), Error> {
    io.emit(Reload)?;
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let values = Values::default();
    let rooms = RoomsLayer::new().namespace(served(values.clone()));
    worker::measured(&rooms.io(), PanelId(1), 21.5).expect("the server is open");
    let app = Router::new()
        .route("/panels/{panel}/{value}", post(change))
        .route("/reload", post(reload))
        .with_state(values)
        .layer(rooms);
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?, app).await
}
