//! `GET /metrics`: what the server is doing, in the text form of Prometheus.

use axum::{Router, extract::State, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use rooms_layer::{Adapter, RoomsLayer, Stats};
use std::sync::Arc;

pub fn routes<S, A>(rooms: RoomsLayer<A>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    A: Adapter,
{
    // A recorder of this router's own. An application that has other metrics too installs one for the whole process.
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, Stats::describe);
    Router::new()
        .route("/metrics", get(show::<A>))
        .with_state((rooms, Arc::new(recorder)))
}

async fn show<A: Adapter>(
    State((rooms, recorder)): State<(RoomsLayer<A>, Arc<PrometheusRecorder>)>,
) -> String {
    metrics::with_local_recorder(&*recorder, || rooms.stats().record());
    recorder.handle().render()
}
