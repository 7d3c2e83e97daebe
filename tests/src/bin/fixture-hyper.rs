//! The fixture app on plain hyper.

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rooms_layer::Io;
use rooms_tests::fixture::{self, App};
use std::error::Error;
use tower::{Layer, service_fn};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rooms = fixture::rooms();
    let app = rooms.layer(service_fn(answer));
    fixture::serve(rooms, |stream| {
        let service = TowerToHyperService::new(app.clone());
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    })
    .await
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let mut response = Response::new(Full::default());
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => *response.body_mut() = "the fixture app on hyper\n".into(),
        (&Method::POST, "/emit") => {
            let io = Io::<App>::from_extensions(request.extensions())?;
            let body = request.into_body().collect().await?.to_bytes();
            fixture::emit(&io, serde_json::from_slice(&body)?)?;
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}
