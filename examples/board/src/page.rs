//! The page: built by Node from `page/`, served as three files.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

/// Where the page has its contract, which `cargo run -p board -- export` writes.
pub const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page/src/contract.ts");

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page");

/// Builds the page, and installs the npm packages that it needs when they are missing.
///
/// # Errors
///
/// Fails when Node is missing, or when the page does not build; what is wrong stands on stderr then.
pub fn build() -> io::Result<()> {
    let node = Command::new("node")
        .arg("build.mjs")
        .current_dir(FOLDER)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| {
            io::Error::other(format!("can't run node, which builds the page: {error}"))
        })?;
    match node.success() {
        true => Ok(()),
        false => Err(io::Error::other("the page could not be built")),
    }
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|| file("index.html", "text/html; charset=utf-8")))
        .route(
            "/board.js",
            get(|| file("board.js", "text/javascript; charset=utf-8")),
        )
        .route(
            "/board.css",
            get(|| file("board.css", "text/css; charset=utf-8")),
        )
}

/// Read for every request, so that `node build.mjs --watch` beside a running board works.
async fn file(name: &str, content_type: &'static str) -> Response {
    match tokio::fs::read(Path::new(FOLDER).join("dist").join(name)).await {
        Ok(content) => ([(header::CONTENT_TYPE, content_type)], content).into_response(),
        Err(error) => {
            tracing::error!(%error, name, "a file of the page is missing");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
