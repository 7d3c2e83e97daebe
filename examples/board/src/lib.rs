//! A project board on axum: REST handlers change tasks and tell every open window of the project.
//!
//! [`contract`] says what travels between the page and the server, [`http`] and [`realtime`] are the two ways in, and
//! [`store`] and [`people`] hold what both share. [`cluster`] runs all of it on two servers, [`metrics`] tells Prometheus how the
//! server is doing. `page/API.md` describes the whole from the page's side.

pub mod cluster;
pub mod contract;
pub mod error;
pub mod http;
pub mod metrics;
pub mod page;
pub mod people;
pub mod realtime;
pub mod store;

use axum::{Router, extract::FromRef};
use people::{People, Server};
use realtime::Notes;
use rooms_layer::{Adapter, RoomsLayer};
use store::Store;

/// What HTTP handlers and socket handlers share. A larger application has it in a database.
#[derive(Clone, FromRef)]
pub struct AppState {
    store: Store,
    people: People,
    notes: Notes,
    server: Server,
}

impl AppState {
    /// A few tasks in project 1, and nobody here.
    pub fn with_samples() -> Self {
        Self {
            store: Store::with_samples(),
            people: People::default(),
            notes: Notes::default(),
            server: Server::default(),
        }
    }
}

/// The whole application on one server.
pub fn app() -> Router {
    app_with(RoomsLayer::new(), AppState::with_samples())
}

/// The whole application on one server of however many: what joins them is the layer's adapter, and nothing else knows of it.
pub fn app_with<A: Adapter>(rooms: RoomsLayer<A>, state: AppState) -> Router {
    let rooms = rooms.namespace(realtime::serve(state.clone()));
    Router::new()
        .merge(page::routes())
        .merge(http::routes())
        .merge(metrics::routes(rooms.clone()))
        .with_state(state)
        .layer(rooms)
}
