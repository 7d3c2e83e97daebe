//! The fixture app on axum.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use rooms_layer::{Error, Io};
use rooms_tests::fixture::{self, App, Emit};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rooms = fixture::rooms();
    let app = Router::new()
        .route("/", get("the fixture app on axum\n"))
        .route("/emit", post(emit))
        .layer(rooms.clone());
    let stopped = async move {
        fixture::stopped().await;
        fixture::close(&rooms).await;
    };
    axum::serve(fixture::listen().await?, app)
        .with_graceful_shutdown(stopped)
        .await
}

async fn emit(io: Io<App>, Json(body): Json<Emit>) -> Result<StatusCode, Error> {
    fixture::emit(&io, body)?;
    Ok(StatusCode::NO_CONTENT)
}
