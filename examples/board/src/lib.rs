//! A project board on axum: REST handlers change tasks and tell every open window of the project.
//!
//! [`contract`] says what travels between the page and the server, [`http`] and [`realtime`] are the two ways in, and
//! [`store`] and [`people`] hold what both share. [`metrics`] tells Prometheus how the server is doing. `page/API.md` describes the whole from the page's side.

pub mod contract;
pub mod error;
pub mod http;
pub mod metrics;
pub mod page;
pub mod people;
pub mod realtime;
pub mod store;

use axum::{Router, extract::FromRef};
use people::People;
use realtime::Notes;
use rooms_layer::RoomsLayer;
use store::Store;

/// What HTTP handlers and socket handlers share.
#[derive(Clone, FromRef)]
pub struct AppState {
    store: Store,
    people: People,
    notes: Notes,
}

/// The whole application, with a few tasks in project 1.
pub fn app() -> Router {
    let state = AppState {
        store: Store::with_samples(),
        people: People::default(),
        notes: Notes::default(),
    };
    let rooms = RoomsLayer::new().namespace(realtime::serve(state.clone()));
    Router::new()
        .merge(page::routes())
        .merge(http::routes())
        .merge(metrics::routes(rooms.clone()))
        .with_state(state)
        .layer(rooms)
}
