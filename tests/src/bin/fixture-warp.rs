//! The fixture app on warp.

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rooms_layer::Handle;
use rooms_tests::fixture::{self, App, Emit};
use tower::Layer;
use warp::{Filter, Reply, http::StatusCode};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rooms = fixture::rooms();
    let app = rooms.layer(warp::service(routes()));
    let server = auto::Builder::new(TokioExecutor::new());
    fixture::serve(rooms, |stream| {
        let service = TowerToHyperService::new(app.clone());
        server
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned()
    })
    .await
}

fn routes() -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    let index = warp::path::end()
        .and(warp::get())
        .map(|| "the fixture app on warp\n");
    let emit = warp::path!("emit")
        .and(warp::post())
        .and(warp::ext::get::<Handle>())
        .and(warp::body::json())
        .map(emit);
    index.or(emit)
}

fn emit(handle: Handle, body: Emit) -> StatusCode {
    let emitted = handle
        .io::<App>()
        .map_err(|error| error.to_string())
        .and_then(|io| fixture::emit(&io, body).map_err(|error| error.to_string()));
    match emitted {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            eprintln!("emit: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
