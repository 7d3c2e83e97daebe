//! `GET /metrics`: what the server is doing, in the text form of Prometheus.

use axum::{Router, extract::State, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use rooms_layer::{RoomsLayer, Stats};
use std::sync::Arc;

pub fn routes<S: Clone + Send + Sync + 'static>(rooms: RoomsLayer) -> Router<S> {
    // A recorder of this router's own. An application that has other metrics too installs one for the whole process.
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, Stats::describe);
    Router::new()
        .route("/metrics", get(show))
        .with_state((rooms, Arc::new(recorder)))
}

async fn show(State((rooms, recorder)): State<(RoomsLayer, Arc<PrometheusRecorder>)>) -> String {
    metrics::with_local_recorder(&*recorder, || rooms.stats().record());
    recorder.handle().render()
}
