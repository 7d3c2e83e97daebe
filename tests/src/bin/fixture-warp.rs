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
    let app = fixture::rooms().layer(warp::service(routes()));
    let listener = fixture::listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("connection: {error}");
            }
        });
    }
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
