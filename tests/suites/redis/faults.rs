//! What is refused, and how. What happens while Redis is away is asked of every adapter: `tests/suites/adapters/faults.rs`.

use crate::{MODES, Said, Server};
use rooms_layer::{prelude::*, rooms::adapter::Health};
use rooms_redis::{Classic, ClassicConfig, ConnectError, Redis, Streams, StreamsConfig};
use rooms_tests::engines;
use std::time::{Duration, Instant};

fn impatient(url: &str) -> Redis {
    let redis = Redis::standalone(url).expect("a URL");
    redis.timeout(Duration::from_millis(500))
}

#[tokio::test]
async fn joining_does_not_wait_for_a_redis_that_is_away() {
    for mode in MODES {
        let engine = engines::redis::Redis::start().await;
        let server = Server::start(mode, impatient(&engine.url())).await;
        let client = server.client_in("room").await;
        engine.process().kill();
        server
            .is(|health| matches!(health, Health::Down { .. }))
            .await;
        let begun = Instant::now();
        let socket = client.server_socket();
        let joined = socket.join(DynRoom("other".to_owned())).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{mode:?}");
        // What is true here is true at once. Whether others know of it can't be had now.
        assert!(socket.is_in(DynRoom("other".to_owned())));
        assert!(joined.is_err(), "{mode:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_the_queue_is_refused() {
    let engine = engines::redis::Redis::start().await;
    let redis = Redis::standalone(&engine.url()).expect("a URL");
    let adapter = Classic::connect(redis.max_queued_bytes(10)).await;
    let rooms = RoomsLayer::with_adapter(adapter.expect("Redis is there"));
    let sent = rooms
        .io::<Main>()
        .emit(Said(1))
        .expect("it is emitted here");
    let error = sent.await.unwrap_err().to_string();
    assert!(error.contains("max_queued_bytes"), "{error}");
}

#[tokio::test]
async fn mistakes_are_told_at_the_start() {
    let error = Redis::standalone("http://127.0.0.1/").unwrap_err();
    assert!(matches!(error, ConnectError::Url { .. }), "{error}");
    let error = Redis::cluster([]).unwrap_err();
    assert!(matches!(error, ConnectError::NoAddress), "{error}");
    let nobody = Redis::standalone("redis://127.0.0.1:1/").expect("a URL");
    let error = Classic::connect(nobody.clone()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");

    let mut config = ClassicConfig::default();
    config.prefix.clear();
    let error = Classic::connect_with(nobody.clone(), config)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`prefix`"), "{error}");
    let mut config = StreamsConfig::default();
    config.max_len = 0;
    let error = Streams::connect_with(nobody, config).await.unwrap_err();
    assert!(error.to_string().contains("`max_len`"), "{error}");
}
