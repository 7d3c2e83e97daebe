//! Redis is away, slow, or tells nonsense: local sockets do not notice, and everything comes back by itself.

use crate::{MODES, Mode, PATIENCE, Said, Server, hears, url};
use rooms_layer::{prelude::*, rooms::adapter::Health};
use rooms_redis::{Classic, ClassicConfig, ConnectError, Redis, Streams, StreamsConfig};
use rooms_tests::{engines, proxy::Proxy};
use std::time::{Duration, Instant};
use tokio::time::timeout;

fn impatient(url: &str) -> Redis {
    let redis = Redis::standalone(url).expect("a URL");
    redis.timeout(Duration::from_millis(500))
}

fn room() -> DynRoom {
    DynRoom("room".to_owned())
}

#[tokio::test]
async fn servers_hear_each_other_again_after_redis_was_restarted() {
    for mode in MODES {
        let engine = engines::redis::Redis::start().await;
        let (first, second) = (
            Server::start(mode, impatient(&engine.url())).await,
            Server::start(mode, impatient(&engine.url())).await,
        );
        let mut client = second.client_in("room").await;
        hears(&first.io(), "room", &mut client).await;
        engine.process().kill();
        first
            .is(|health| matches!(health, Health::Down { .. }))
            .await;

        let lost = first
            .io()
            .to(room())
            .emit(Said(1))
            .expect("it is emitted here");
        let error = timeout(PATIENCE, lost.into_future()).await;
        let error = error.expect("it is not waited for long").unwrap_err();
        assert!(error.to_string().contains("out of reach"), "{error}");
        // Those who are here do not notice.
        let mut near = first.rooms_client().await;
        let _ = first.io().emit(Said(2)).expect("it is emitted here");
        assert_eq!(near.expect::<Said>().await, Said(2));

        engine.process().restart();
        engine.ready().await;
        first.is(Health::is_up).await;
        second.is(Health::is_up).await;
        hears(&first.io(), "room", &mut client).await;
    }
}

/// Nothing is lost that a socket can see: bytes just stop.
#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed() {
    for mode in MODES {
        let engine = engines::redis::Redis::start().await;
        let network = Proxy::start(engine.address()).await;
        let first = Server::start(mode, impatient(&engine.url())).await;
        let second = Server::start(mode, impatient(&url(network.address()))).await;
        let mut client = second.client_in("room").await;
        hears(&first.io(), "room", &mut client).await;
        network.stall();
        second
            .is(|health| matches!(health, Health::Down { .. }))
            .await;
        network.heal();
        second.is(Health::is_up).await;
        hears(&first.io(), "room", &mut client).await;
    }
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
async fn nonsense_on_the_channels_changes_nothing() {
    let engine = engines::redis::Redis::start().await;
    for (mode, commands) in [
        (
            Mode::Classic,
            &[
                "PUBLISH socket.io#/# nonsense",
                "PUBLISH socket.io#/#room# {}",
                "PUBLISH socket.io-request#/# {\"type\":7}",
                "PUBLISH socket.io-request#/# {\"type\":5,\"requestId\":\"x\",\"opts\":{\"rooms\":7}}",
                "PUBLISH socket.io-response#/# {\"requestId\":\"x\",\"sockets\":3}",
            ][..],
        ),
        (
            Mode::Sharded,
            &[
                "SPUBLISH socket.io#/# nonsense",
                "SPUBLISH socket.io#/#room# {\"type\":3}",
                "SPUBLISH socket.io#/# {\"type\":-1,\"nsp\":\"/\"}",
            ][..],
        ),
        (
            Mode::Streams,
            &[
                "XADD socket.io * nsp / type 3 data nonsense",
                "XADD socket.io * nsp / type x",
                "XADD socket.io * something else",
                "XADD socket.io * nsp / type 3 data {}",
            ][..],
        ),
    ] {
        let first = Server::start(mode, impatient(&engine.url())).await;
        let second = Server::start(mode, impatient(&engine.url())).await;
        let mut client = second.client_in("room").await;
        hears(&first.io(), "room", &mut client).await;
        for command in commands {
            engine.ask(command).await;
        }
        hears(&first.io(), "room", &mut client).await;
        assert!(second.adapter_health().is_up());
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
